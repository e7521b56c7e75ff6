export interface Product {
  readonly sku: string;
  readonly title: string;
  readonly description: string;
  readonly priceCents: number;
  readonly stock: number;
}

export type SortOrder = 'title' | 'price' | 'newest';

export function isSortOrder(value: unknown): value is SortOrder {
  return value === 'title' || value === 'price' || value === 'newest';
}
