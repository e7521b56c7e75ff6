const WAIT_MS = 250;

/** Calls `search` with the words once the customer pauses. */
export function onSearch(form, search) {
  let timer;
  const input = form.elements.namedItem('q');
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => search(input.value.trim()), WAIT_MS);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    search(input.value.trim());
  });
}
