async function get(path) {
  const answer = await fetch(`/api${path}`);
  if (!answer.ok) throw new Error(`the shop answered ${answer.status}`);
  return answer.json();
}

export function listProducts(sort = 'title') {
  return get(`/products?sort=${encodeURIComponent(sort)}`);
}

export function searchProducts(words) {
  return get(`/products/search?q=${encodeURIComponent(words)}`);
}

export function reviewsOf(sku) {
  return get(`/products/${encodeURIComponent(sku)}/reviews`);
}
