import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The first schema. `created_at` of the default project is the only clock of the database that is ever read. */
export class Initial1763712000000 implements MigrationInterface {
  readonly name = 'Initial1763712000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "artifacts" (
        "digest" text NOT NULL,
        "size" bigint NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "artifacts_digest_check" CHECK (digest ~ '^[0-9a-f]{64}$'),
        CONSTRAINT "artifacts_pkey" PRIMARY KEY ("digest")
      )
    `);
    await runner.query(`
      CREATE TABLE "run_artifacts" (
        "run_id" uuid NOT NULL,
        "step" text NOT NULL,
        "iteration" integer NOT NULL,
        "name" text NOT NULL,
        "digest" text NOT NULL,
        "media_type" text NOT NULL,
        "size" bigint NOT NULL,
        CONSTRAINT "run_artifacts_pkey" PRIMARY KEY ("run_id", "step", "iteration", "name", "digest")
      )
    `);
    await runner.query(`
      CREATE TABLE "executions" (
        "key" text NOT NULL,
        "run_id" uuid NOT NULL,
        "instance" text NOT NULL,
        "lease_until" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "claim" text NOT NULL DEFAULT 'none',
        "outcome" json,
        "progress" text,
        CONSTRAINT "executions_outcome_check" CHECK (outcome IS NULL OR claim <> 'none'),
        CONSTRAINT "executions_claim_check" CHECK (claim IN ('none', 'granted', 'lapsed')),
        CONSTRAINT "executions_pkey" PRIMARY KEY ("key")
      ) WITH (fillfactor = 70)
    `);
    await runner.query(`
      CREATE INDEX "executions_run_id_idx" ON "executions" ("run_id")
    `);
    await runner.query(`
      CREATE TABLE "inbox" (
        "id" bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
        "run_id" uuid NOT NULL,
        "dedupe_key" text NOT NULL,
        "message" json NOT NULL,
        "consumed" boolean NOT NULL DEFAULT false,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "inbox_run_id_dedupe_key_key" UNIQUE ("run_id", "dedupe_key"),
        CONSTRAINT "inbox_pkey" PRIMARY KEY ("id")
      ) WITH (fillfactor = 85)
    `);
    await runner.query(`
      CREATE INDEX "inbox_unread_idx" ON "inbox" ("run_id", "id") WHERE NOT consumed
    `);
    await runner.query(`
      CREATE TABLE "projects" (
        "id" text NOT NULL,
        "name" text NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "projects_pkey" PRIMARY KEY ("id")
      )
    `);
    await runner.query(`
      CREATE TABLE "api_keys" (
        "id" uuid NOT NULL,
        "project_id" text NOT NULL,
        "name" text NOT NULL,
        "hash" text NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "api_keys_hash_key" UNIQUE ("hash"),
        CONSTRAINT "api_keys_hash_check" CHECK (hash ~ '^[0-9a-f]{64}$'),
        CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
      )
    `);
    await runner.query(`
      CREATE TABLE "appends" (
        "append_id" uuid NOT NULL,
        "run_id" uuid NOT NULL,
        "last_seq" integer NOT NULL,
        "parked" boolean NOT NULL,
        CONSTRAINT "appends_pkey" PRIMARY KEY ("append_id")
      )
    `);
    await runner.query(`
      CREATE TABLE "idempotency_keys" (
        "project_id" text NOT NULL,
        "key" text NOT NULL,
        "request_hash" text NOT NULL,
        "run_id" uuid NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("project_id", "key")
      )
    `);
    await runner.query(`
      CREATE TABLE "run_events" (
        "run_id" uuid NOT NULL,
        "seq" integer NOT NULL,
        "event" json NOT NULL,
        CONSTRAINT "run_events_pkey" PRIMARY KEY ("run_id", "seq")
      )
    `);
    await runner.query(`
      CREATE TABLE "run_heads" (
        "run_id" uuid NOT NULL,
        "status" text NOT NULL DEFAULT 'running',
        "verdict" text,
        "reason" text,
        "epoch" integer NOT NULL DEFAULT '0',
        "owner" text,
        "last_seq" integer NOT NULL,
        "unread" integer NOT NULL DEFAULT '0',
        "in_turn" boolean NOT NULL DEFAULT false,
        "wake_at" TIMESTAMP(3) WITH TIME ZONE,
        "lease_no" integer NOT NULL DEFAULT '0',
        "turn_failures" integer NOT NULL DEFAULT '0',
        "last_turn_error" text,
        "checkpoint" json,
        "checkpoint_seq" integer,
        "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "ended_at" TIMESTAMP(3) WITH TIME ZONE,
        CONSTRAINT "run_heads_unread_check" CHECK (unread >= 0),
        CONSTRAINT "run_heads_wake_check" CHECK (status = 'ended' OR wake_at IS NOT NULL OR epoch = 0),
        CONSTRAINT "run_heads_ended_check" CHECK ((status = 'ended') = (verdict IS NOT NULL)),
        CONSTRAINT "run_heads_verdict_check" CHECK (verdict IN ('passed', 'rejected', 'failed', 'cancelled')),
        CONSTRAINT "run_heads_status_check" CHECK (status IN ('running', 'stuck', 'ended')),
        CONSTRAINT "run_heads_pkey" PRIMARY KEY ("run_id")
      ) WITH (fillfactor = 70)
    `);
    await runner.query(`
      CREATE INDEX "run_heads_unended_idx" ON "run_heads" ("run_id") WHERE status <> 'ended'
    `);
    await runner.query(`
      CREATE INDEX "run_heads_due_idx" ON "run_heads" ("wake_at", "run_id") WHERE wake_at IS NOT NULL
    `);
    await runner.query(`
      CREATE TABLE "runs" (
        "id" uuid NOT NULL,
        "project_id" text NOT NULL,
        "workflow_digest" text NOT NULL,
        "workflow_name" text NOT NULL,
        "task" text NOT NULL,
        "repository" json,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "runs_pkey" PRIMARY KEY ("id")
      )
    `);
    await runner.query(`
      CREATE INDEX "runs_project_id_idx" ON "runs" ("project_id", "id")
    `);
    await runner.query(`
      CREATE TABLE "workflows" (
        "digest" text NOT NULL,
        "name" text NOT NULL,
        "definition" json NOT NULL,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "workflows_digest_check" CHECK (digest ~ '^[0-9a-f]{64}$'),
        CONSTRAINT "workflows_pkey" PRIMARY KEY ("digest")
      )
    `);
    await runner.query(`
      ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE NO ACTION ON UPDATE NO ACTION
    `);
    await runner.query(`INSERT INTO projects (id, name, created_at) VALUES ('default', 'Default', now())`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP TABLE api_keys, appends, artifacts, executions, idempotency_keys, inbox, projects, run_artifacts, run_events, run_heads, runs, workflows`,
    );
  }
}
