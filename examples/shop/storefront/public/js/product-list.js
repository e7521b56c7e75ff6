import { price } from './format.js';

function productItem(product, onSelect) {
  const item = document.createElement('li');
  const title = document.createElement('h2');
  title.textContent = product.title;
  const cost = document.createElement('span');
  cost.className = 'price';
  cost.textContent = price(product.priceCents);
  const button = document.createElement('button');
  button.textContent = product.stock > 0 ? 'Into the basket' : 'Sold out';
  button.disabled = product.stock === 0;
  button.addEventListener('click', () => onSelect(product));
  item.append(title, cost, button);
  return item;
}

export function showProducts(list, products, onSelect) {
  list.replaceChildren(...products.map((product) => productItem(product, onSelect)));
}
