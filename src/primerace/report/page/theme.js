// Before anything is painted: the theme that the button chose earlier in this visit.
"use strict";
try {
  const theme = sessionStorage.getItem("primerace-theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {} // storage may be switched off: then the page follows the system
