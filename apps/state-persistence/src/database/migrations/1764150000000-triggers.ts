import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What starts runs by itself: schedules and webhooks. */
export class Triggers1764150000000 implements MigrationInterface {
  readonly name = 'Triggers1764150000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "triggers" (
        "id" uuid NOT NULL,
        "project_id" text NOT NULL,
        "name" text NOT NULL,
        "kind" text NOT NULL,
        "on" json NOT NULL,
        "run" json NOT NULL,
        "enabled" boolean NOT NULL,
        "secret" text,
        "created_by" text NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "next_at" TIMESTAMP(3) WITH TIME ZONE,
        "lease_until" TIMESTAMP(3) WITH TIME ZONE,
        "last_fired_at" TIMESTAMP(3) WITH TIME ZONE,
        "last_run_id" uuid,
        "last_error" text,
        CONSTRAINT "triggers_project_id_name_key" UNIQUE ("project_id", "name"),
        CONSTRAINT "triggers_secret_check" CHECK ((kind = 'webhook') = (secret IS NOT NULL)),
        CONSTRAINT "triggers_kind_check" CHECK (kind IN ('schedule', 'webhook')),
        CONSTRAINT "triggers_pkey" PRIMARY KEY ("id")
      )
    `);
    await runner.query(
      `CREATE INDEX "triggers_next_at_idx" ON "triggers" ("next_at") WHERE enabled AND next_at IS NOT NULL`,
    );
    await runner.query(`
      CREATE TABLE "trigger_firings" (
        "trigger_id" uuid NOT NULL,
        "key" text NOT NULL,
        "run" json NOT NULL,
        "status" text NOT NULL DEFAULT 'pending',
        "lease_until" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "run_id" uuid,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "trigger_firings_status_check" CHECK (status IN ('pending', 'started', 'failed')),
        CONSTRAINT "trigger_firings_pkey" PRIMARY KEY ("trigger_id", "key")
      )
    `);
    await runner.query(
      `CREATE INDEX "trigger_firings_pending_idx" ON "trigger_firings" ("lease_until") WHERE status = 'pending'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE trigger_firings, triggers`);
  }
}
