// Light, dark, or as the system says.

const CHOICES = ['system', 'light', 'dark'];
const KEPT = 'jitbot-theme';

function show(choice, button) {
  if (choice === 'system') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.setAttribute('data-theme', choice);
  button.textContent = `Theme: ${choice}`;
  button.dataset.choice = choice;
}

/** Lets a button go through the choices; the last one is kept in this browser. */
export function theme(button) {
  const kept = localStorage.getItem(KEPT);
  show(CHOICES.includes(kept) ? kept : 'system', button);
  button.addEventListener('click', () => {
    const next = CHOICES[(CHOICES.indexOf(button.dataset.choice) + 1) % CHOICES.length];
    localStorage.setItem(KEPT, next);
    show(next, button);
  });
}
