INSERT INTO products (sku, title, description, price_cents, stock) VALUES
  ('TEA-001', 'First flush Darjeeling', 'Bright and floral, 100 g', 1450, 40),
  ('TEA-014', 'Smoked black tea', 'Pine smoke, 100 g', 1190, 25),
  ('LMP-003', 'Paper lantern, round', 'Washi on bamboo, 30 cm', 2900, 12),
  ('PAP-020', 'Letter set, moss', 'Twenty sheets, ten envelopes', 990, 80);
