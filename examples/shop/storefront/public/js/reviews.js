import { stars } from './format.js';

const HEADING = 'What others say';
const NOTHING = 'Nobody has written about this yet.';

export function showReviews(section, reviews) {
  if (reviews.length === 0) {
    section.innerHTML = `<h2>${HEADING}</h2><p>${NOTHING}</p>`;
    return;
  }
  section.replaceChildren(...reviews.map(reviewCard));
}

function reviewCard(review) {
  const card = document.createElement('article');
  card.innerHTML = `<h3>${stars(review.stars)}</h3><p>${review.text}</p>`;
  return card;
}
