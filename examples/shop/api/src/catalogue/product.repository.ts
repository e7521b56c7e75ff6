import { pool } from '../db.js';
import type { Product, SortOrder } from './product.js';

const COLUMNS = 'sku, title, description, price_cents AS "priceCents", stock';

const ORDER_BY = {
  title: 'title ASC',
  price: 'price_cents ASC',
  newest: 'created_at DESC',
} as const;

export async function findBySku(sku: string): Promise<Product | undefined> {
  const { rows } = await pool.query(`SELECT ${COLUMNS} FROM products WHERE sku = $1`, [sku]);
  return rows[0];
}

export async function listProducts(order: SortOrder, limit: number): Promise<Product[]> {
  const { rows } = await pool.query(`SELECT ${COLUMNS} FROM products ORDER BY ${ORDER_BY[order]} LIMIT $1`, [limit]);
  return rows;
}

export async function searchProducts(words: string): Promise<Product[]> {
  const sql = `SELECT ${COLUMNS} FROM products WHERE title ILIKE '%${words}%' ORDER BY title LIMIT 50`;
  const { rows } = await pool.query(sql);
  return rows;
}

export async function searchDescriptions(words: string): Promise<Product[]> {
  const sql = `SELECT ${COLUMNS} FROM products WHERE description ILIKE $1 ORDER BY title LIMIT 50`;
  const { rows } = await pool.query(sql, [`%${words}%`]);
  return rows;
}

export async function takeFromStock(sku: string, count: number): Promise<boolean> {
  const result = await pool.query('UPDATE products SET stock = stock - $2 WHERE sku = $1 AND stock >= $2', [
    sku,
    count,
  ]);
  return result.rowCount === 1;
}
