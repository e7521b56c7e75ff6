import { inTransaction, pool } from '../db.js';
import type { Order, OrderLine } from './order.js';
import { goodsTotal, shippingFor } from './pricing.js';

export async function placeOrder(accountId: string, lines: readonly OrderLine[]): Promise<Order> {
  const goods = goodsTotal(lines);
  const shippingCents = shippingFor(goods);
  const totalCents = goods + shippingCents;
  return inTransaction(async (client) => {
    const { rows } = await client.query(
      'INSERT INTO orders (account_id, shipping_cents, total_cents) VALUES ($1, $2, $3) RETURNING id',
      [accountId, shippingCents, totalCents],
    );
    const id: string = rows[0].id;
    for (const line of lines) {
      await client.query('INSERT INTO order_lines (order_id, sku, count, price_cents) VALUES ($1, $2, $3, $4)', [
        id,
        line.sku,
        line.count,
        line.priceCents,
      ]);
    }
    return { id, accountId, lines, shippingCents, totalCents };
  });
}

export async function ordersOf(accountId: string): Promise<Pick<Order, 'id' | 'totalCents'>[]> {
  const { rows } = await pool.query(
    'SELECT id, total_cents AS "totalCents" FROM orders WHERE account_id = $1 ORDER BY placed_at DESC',
    [accountId],
  );
  return rows;
}
