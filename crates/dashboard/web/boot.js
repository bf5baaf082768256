// Before anything is drawn: the theme that was chosen here, so that nothing flashes.
(() => {
  try {
    const theme = localStorage.getItem('theme');
    if (theme && theme !== 'system') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; then the system's theme it is.
  }
})();
