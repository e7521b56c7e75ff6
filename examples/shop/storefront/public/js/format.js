export function price(cents) {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')} €`;
}

export function stars(count) {
  return '★'.repeat(count) + '☆'.repeat(5 - count);
}
