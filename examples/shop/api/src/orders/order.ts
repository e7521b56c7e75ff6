export interface OrderLine {
  readonly sku: string;
  readonly count: number;
  readonly priceCents: number;
}

export interface Order {
  readonly id: string;
  readonly accountId: string;
  readonly lines: readonly OrderLine[];
  readonly shippingCents: number;
  readonly totalCents: number;
}
