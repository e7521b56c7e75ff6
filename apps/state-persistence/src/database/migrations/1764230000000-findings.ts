import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What became of findings. */
export class Findings1764230000000 implements MigrationInterface {
  readonly name = 'Findings1764230000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "findings" (
        "project_id" text NOT NULL,
        "repository" text NOT NULL,
        "fingerprint" text NOT NULL,
        "rule" text NOT NULL,
        "class" text NOT NULL,
        "severity" text NOT NULL,
        "path" text NOT NULL,
        "fate" text NOT NULL,
        "since" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "first_run_id" uuid NOT NULL,
        "last_run_id" uuid NOT NULL,
        "last_commit" text NOT NULL,
        "judged_by" text,
        "reason" text,
        CONSTRAINT "findings_judged_check" CHECK ((fate IN ('confirmed', 'rejected')) = (judged_by IS NOT NULL)),
        CONSTRAINT "findings_fate_check" CHECK (fate IN ('open', 'accepted', 'fixed', 'suppressed', 'confirmed', 'rejected')),
        CONSTRAINT "findings_pkey" PRIMARY KEY ("project_id", "repository", "fingerprint")
      )
    `);
    await runner.query(
      `CREATE INDEX "findings_last_run_id_idx" ON "findings" ("project_id", "repository", "last_run_id")`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE findings`);
  }
}
