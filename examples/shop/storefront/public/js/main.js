import { listProducts, reviewsOf, searchProducts } from './api.js';
import { addToBasket, basketCount } from './basket.js';
import { showProducts } from './product-list.js';
import { showReviews } from './reviews.js';
import { onSearch } from './search-box.js';

const products = document.querySelector('#products');
const reviews = document.querySelector('#reviews');
const basket = document.querySelector('#basket');

function showBasket() {
  basket.textContent = `Basket (${basketCount()})`;
}

async function select(product) {
  addToBasket(product.sku);
  showBasket();
  showReviews(reviews, await reviewsOf(product.sku));
}

onSearch(document.querySelector('#search'), async (words) => {
  const found = await searchProducts(words);
  showProducts(products, [...found.titles, ...found.descriptions], select);
});

showBasket();
showProducts(products, await listProducts(), select);
