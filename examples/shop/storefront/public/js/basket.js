const KEY = 'basket';

function read(storage) {
  return JSON.parse(storage.getItem(KEY) ?? '{}');
}

export function addToBasket(sku, storage = localStorage) {
  const basket = read(storage);
  basket[sku] = (basket[sku] ?? 0) + 1;
  storage.setItem(KEY, JSON.stringify(basket));
}

export function basketCount(storage = localStorage) {
  return Object.values(read(storage)).reduce((sum, count) => sum + count, 0);
}
