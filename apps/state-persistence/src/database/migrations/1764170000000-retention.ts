import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What retention needs: which detail is gone, which artifacts are to be looked at, and indexes for what it deletes by. Artifacts
 * that are there already are looked at a day later, as if a run had just let go of them.
 */
export class Retention1764170000000 implements MigrationInterface {
  readonly name = 'Retention1764170000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "run_heads" ADD COLUMN "pruned_at" TIMESTAMP(3) WITH TIME ZONE`);
    await runner.query(`
      CREATE INDEX "run_heads_prunable_idx" ON "run_heads" ("ended_at", "run_id") WHERE ended_at IS NOT NULL AND pruned_at IS NULL
    `);
    await runner.query(`ALTER TABLE "runs" ADD COLUMN "bundles" jsonb`);
    // By pattern: a text with NUL, which json keeps, can't be taken apart as json. Whatever else looks like a digest harms nothing.
    await runner.query(`
      UPDATE runs SET bundles = to_jsonb(ARRAY(SELECT m[1] FROM regexp_matches(repository::text, '"([0-9a-f]{64})"', 'g') m))
      WHERE repository IS NOT NULL
    `);
    await runner.query(
      `CREATE INDEX "runs_bundles_idx" ON "runs" USING gin ("bundles" jsonb_path_ops) WHERE bundles IS NOT NULL`,
    );
    await runner.query(`ALTER TABLE "artifacts" ADD COLUMN "collect_at" TIMESTAMP(3) WITH TIME ZONE`);
    await runner.query(`UPDATE artifacts SET collect_at = now() + interval '1 day'`);
    await runner.query(
      `CREATE INDEX "artifacts_collect_at_idx" ON "artifacts" ("collect_at", "digest") WHERE collect_at IS NOT NULL`,
    );
    await runner.query(`CREATE INDEX "run_artifacts_digest_idx" ON "run_artifacts" ("digest")`);
    await runner.query(`CREATE INDEX "appends_run_id_idx" ON "appends" ("run_id")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX appends_run_id_idx, run_artifacts_digest_idx`);
    await runner.query(`ALTER TABLE artifacts DROP COLUMN collect_at`);
    await runner.query(`ALTER TABLE runs DROP COLUMN bundles`);
    await runner.query(`ALTER TABLE run_heads DROP COLUMN pruned_at`);
  }
}
