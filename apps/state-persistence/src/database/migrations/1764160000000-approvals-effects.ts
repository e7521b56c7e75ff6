import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Approvals, effects, executions that are barred, runs that wait for a place or are paused. The two functions take and free
 * a place: each of their statements sees what was committed before it, which one statement that waited for a lock would not.
 */
export class ApprovalsEffects1764160000000 implements MigrationInterface {
  readonly name = 'ApprovalsEffects1764160000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE "run_heads"
        ADD COLUMN "priority" integer NOT NULL DEFAULT '0',
        ADD COLUMN "cancel_requested" boolean NOT NULL DEFAULT false,
        ADD COLUMN "slot" text,
        ADD COLUMN "slot_held" boolean NOT NULL DEFAULT false,
        DROP CONSTRAINT "run_heads_status_check",
        DROP CONSTRAINT "run_heads_verdict_check",
        ADD CONSTRAINT "run_heads_status_check" CHECK (status IN ('queued', 'running', 'paused', 'stuck', 'ended')),
        ADD CONSTRAINT "run_heads_verdict_check" CHECK (verdict IN ('passed', 'partial', 'rejected', 'failed', 'cancelled'))
    `);
    await runner.query(
      `CREATE INDEX "run_heads_queued_idx" ON "run_heads" ("slot", "priority", "run_id") WHERE status = 'queued'`,
    );
    await runner.query(`
      CREATE TABLE "run_slots" (
        "slot" text NOT NULL,
        "held" integer NOT NULL,
        "bound" integer NOT NULL,
        CONSTRAINT "run_slots_held_check" CHECK (held >= 0),
        CONSTRAINT "run_slots_pkey" PRIMARY KEY ("slot")
      )
    `);
    await runner.query(`
      CREATE TABLE "barred_executions" (
        "key" text NOT NULL,
        "run_id" uuid NOT NULL,
        CONSTRAINT "barred_executions_pkey" PRIMARY KEY ("key")
      )
    `);
    await runner.query(`CREATE INDEX "barred_executions_run_id_idx" ON "barred_executions" ("run_id")`);
    await runner.query(`
      CREATE TABLE "approvals" (
        "id" uuid NOT NULL,
        "run_id" uuid NOT NULL,
        "project_id" text NOT NULL,
        "step" text NOT NULL,
        "iteration" integer NOT NULL,
        "kind" text NOT NULL,
        "title" text NOT NULL,
        "subject" json NOT NULL,
        "hash" text NOT NULL,
        "status" text NOT NULL DEFAULT 'open',
        "requested_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "expires_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "escalate_to" json NOT NULL,
        "escalated_at" TIMESTAMP(3) WITH TIME ZONE,
        "decided_at" TIMESTAMP(3) WITH TIME ZONE,
        "decided_by" text,
        "comment" text,
        CONSTRAINT "approvals_decided_check" CHECK ((status IN ('approved', 'rejected')) = (decided_by IS NOT NULL)),
        CONSTRAINT "approvals_status_check" CHECK (status IN ('open', 'approved', 'rejected', 'expired', 'closed')),
        CONSTRAINT "approvals_kind_check" CHECK (kind IN ('consent', 'lost')),
        CONSTRAINT "approvals_pkey" PRIMARY KEY ("id")
      )
    `);
    await runner.query(`CREATE INDEX "approvals_run_id_idx" ON "approvals" ("run_id")`);
    await runner.query(
      `CREATE INDEX "approvals_open_idx" ON "approvals" ("project_id", "requested_at", "id") WHERE status = 'open'`,
    );
    await runner.query(`CREATE INDEX "approvals_project_id_idx" ON "approvals" ("project_id", "requested_at", "id")`);
    await runner.query(`
      CREATE TABLE "effects" (
        "key" text NOT NULL,
        "run_id" uuid NOT NULL,
        "step" text NOT NULL,
        "kind" text NOT NULL,
        "name" text NOT NULL,
        "status" text NOT NULL,
        "intent" json NOT NULL,
        "intent_hash" text NOT NULL,
        "result" json,
        "execution" text NOT NULL,
        "iteration" integer NOT NULL,
        "instance" text NOT NULL,
        "lapsed" boolean NOT NULL,
        "lease_until" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "approval_id" uuid,
        "claims" integer NOT NULL,
        "claimed_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "effects_status_check" CHECK (status IN ('claimed', 'done', 'not_done', 'unknown')),
        CONSTRAINT "effects_pkey" PRIMARY KEY ("key")
      )
    `);
    await runner.query(`CREATE INDEX "effects_run_id_idx" ON "effects" ("run_id")`);
    await runner.query(`
      CREATE FUNCTION take_slot(wanted text, most integer) RETURNS boolean LANGUAGE plpgsql AS $$
      DECLARE got integer;
      BEGIN
        INSERT INTO run_slots (slot, held, bound) VALUES (wanted, 0, most)
          ON CONFLICT (slot) DO UPDATE SET bound = excluded.bound;
        UPDATE run_slots SET held = held + 1 WHERE slot = wanted AND held < most RETURNING held INTO got;
        RETURN got IS NOT NULL;
      END $$
    `);
    await runner.query(`
      CREATE FUNCTION free_slot(freed text, at timestamptz) RETURNS uuid LANGUAGE plpgsql AS $$
      DECLARE chosen uuid;
      BEGIN
        UPDATE run_slots SET held = held - 1 WHERE slot = freed;
        UPDATE run_slots SET held = held + 1 WHERE slot = freed AND held < bound;
        IF NOT FOUND THEN RETURN NULL; END IF;
        SELECT run_id INTO chosen FROM run_heads WHERE slot = freed AND status = 'queued' AND NOT cancel_requested
          ORDER BY priority DESC, run_id LIMIT 1 FOR UPDATE;
        IF chosen IS NULL THEN
          UPDATE run_slots SET held = held - 1 WHERE slot = freed;
        ELSE
          UPDATE run_heads SET status = 'running', slot_held = true, wake_at = at, updated_at = at WHERE run_id = chosen;
        END IF;
        RETURN chosen;
      END $$
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION take_slot(text, integer)`);
    await runner.query(`DROP FUNCTION free_slot(text, timestamptz)`);
    await runner.query(`DROP TABLE effects, approvals, barred_executions, run_slots`);
    await runner.query(`DROP INDEX run_heads_queued_idx`);
    await runner.query(`
      ALTER TABLE run_heads DROP COLUMN priority, DROP COLUMN cancel_requested, DROP COLUMN slot, DROP COLUMN slot_held,
        DROP CONSTRAINT run_heads_status_check, DROP CONSTRAINT run_heads_verdict_check,
        ADD CONSTRAINT run_heads_status_check CHECK (status IN ('running', 'stuck', 'ended')),
        ADD CONSTRAINT run_heads_verdict_check CHECK (verdict IN ('passed', 'rejected', 'failed', 'cancelled'))
    `);
  }
}
