"""Pack a source distribution again, so that the same files always make the same bytes: FILE.tar.gz.

setuptools writes who built it and when. Here every member has the time SOURCE_DATE_EPOCH, no owner, and the
permissions that git knows; members are in the order of their names (https://reproducible-builds.org).
"""

import gzip
import os
import sys
import tarfile
from io import BytesIO
from pathlib import Path


def packed(archive: bytes, time: int) -> bytes:
    """Return the same members as a tar.gz of which nothing depends on the machine."""
    target = BytesIO()
    with (
        tarfile.open(fileobj=BytesIO(archive)) as old,
        gzip.GzipFile("", "wb", fileobj=target, mtime=time) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda each: each.name):
            new.addfile(anonymous(member, time), old.extractfile(member) if member.isfile() else None)
    return target.getvalue()


def anonymous(member: tarfile.TarInfo, time: int) -> tarfile.TarInfo:
    """Return what is left of a member without its builder."""
    mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member.replace(mtime=time, mode=mode, uid=0, gid=0, uname="", gname="", deep=False)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_bytes(packed(path.read_bytes(), int(os.environ["SOURCE_DATE_EPOCH"])))
