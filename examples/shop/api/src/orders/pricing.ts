import type { OrderLine } from './order.js';

const FREE_SHIPPING_FROM = 5000;
const SHIPPING = 490;

export function goodsTotal(lines: readonly OrderLine[]): number {
  return lines.reduce((sum, line) => sum + line.count * line.priceCents, 0);
}

export function shippingFor(goodsCents: number): number {
  return goodsCents >= FREE_SHIPPING_FROM ? 0 : SHIPPING;
}

/** Tax contained in a gross amount, rounded to the nearest cent. `rate` is a fraction, e.g. 0.19. */
export function containedTax(grossCents: number, rate: number): number {
  return Math.round(grossCents - grossCents / (1 + rate));
}
