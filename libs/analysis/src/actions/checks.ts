import type { Span } from '../flow/ir.js';
import { expressionsIn, readWorkflow, type Job, type Located, type Step, type Workflow } from './workflow.js';
import type { FileCheck } from '../rules/rule.js';

/** A check of a workflow, as a check of a file. */
export const workflowCheck =
  (find: (workflow: Workflow) => readonly Span[]): FileCheck =>
  ({ text }) => {
    const workflow = readWorkflow(text);
    return workflow ? find(workflow).map(({ start, end }) => ({ start, end })) : [];
  };

/** What somebody who may not write to the repository decides: titles, bodies, names of branches, messages, mail addresses. */
const FOREIGN =
  /\bgithub\.(head_ref|event\.(issue|pull_request|discussion)\.(title|body)|event\.(comment|review|review_comment|discussion)\.body|event\.pull_request\.head\.(ref|label|repo\.(default_branch|description|homepage))|event\.pages\[?[^\]]*\]?\.?\*?\.page_name|event\.(head_commit|commits(\[?\*?\d*\]?|\.\*))\.?(message|author\.(email|name)|committer\.(email|name))|event\.workflow_run\.(head_branch|display_title|head_commit\.(message|author\.(email|name))|pull_requests.*\.head\.ref|head_repository\.description)|event\.release\.(name|body|tag_name)|event\.inputs\.\w+|event\.client_payload\.\w+|event\.discussion\.(title|body)|event\.label\.name|event\.milestone\.(title|description)|ref_name|event\.ref|actor|event\.sender\.login|event\.\*|event\.pull_request\.head\.user\.login)\b|\binputs\.\w+|\bgithub\.event\.changes\./;

/** Also foreign when it comes through another step or a matrix made of it. */
const THROUGH =
  /\b(steps\.[\w-]+\.outputs\.[\w-]*(branch|title|body|ref|comment|message|name)|needs\.[\w-]+\.outputs\.[\w-]*(branch|title|body|ref|comment|message)|env\.(\w*(title|body|branch|comment|ref|message|input)\w*))\b/i;

/** Functions whose result is no text of others, or a comparison. */
const HARMLESS =
  /^(!|contains\(|startsWith\(|endsWith\(|hashFiles\(|toJSON\(|fromJSON\(\s*'|success\(|failure\(|always\()|==|!=/;

export function scriptInjections(workflow: Workflow): Span[] {
  return stepsOf(workflow).flatMap(({ step, job }) => {
    const scripts = [step.run, scriptOf(step)].filter((one) => one !== undefined);
    return scripts.flatMap((script) =>
      expressionsIn(script, workflow.text).filter(({ text }) => {
        if (HARMLESS.test(text) && !/&&|\|\|/.test(text)) return false;
        if (FOREIGN.test(text)) return !isTrusted(text, workflow);
        const through = THROUGH.exec(text);
        if (through?.[0]?.startsWith('env.') === true)
          return isForeignVariable(through[0].slice(4), [step.env, job.env, workflow.env]);
        return through !== null && /changed|title|body|comment|message|branch/i.test(text);
      }),
    );
  });
}

const stepsOf = (workflow: Workflow): { step: Step; job: Job }[] =>
  workflow.jobs.flatMap((job) => job.steps.map((step) => ({ step, job })));

/** Names that only somebody with write access makes, and names of people, whose form is narrow. */
function isTrusted(text: string, { events, isAction, narrowInputs }: Workflow): boolean {
  if (isAction) return !/inputs\./.test(text) && !FOREIGN.test(text.replace(/\binputs\.\w+/g, ''));
  const rest = text
    .replace(/\bgithub\.(actor|event\.sender\.login|event\.pull_request\.head\.user\.login)\b/g, '')
    .replace(/\b(?:github\.event\.)?inputs\.([\w-]+)/g, (whole, name: string) => (narrowInputs.has(name) ? '' : whole));
  if (!FOREIGN.test(rest)) return true;
  if (/\bgithub\.(ref_name|event\.ref)\b/.test(rest))
    return !events.some((event) => /^(pull_request|pull_request_target|create|push)$/.test(event));
  return false;
}

function isForeignVariable(name: string, scopes: readonly ReadonlyMap<string, Located>[]): boolean {
  const value = scopes.find((scope) => scope.has(name))?.get(name)?.text ?? '';
  return FOREIGN.test(value);
}

/** Code of JavaScript that an action runs. */
function scriptOf(step: Step): Located | undefined {
  const uses = step.uses?.text ?? '';
  if (/^actions\/github-script@/.test(uses)) return step.with.get('script');
  return step.with.get(/powershell|pwsh/i.test(uses) ? 'inlineScript' : 'run-script');
}

const OFFICIAL = /^(actions|github)\//;

export function unpinned(workflow: Workflow): Located[] {
  const all = [...stepsOf(workflow).map(({ step }) => step.uses), ...workflow.jobs.map(({ uses }) => uses)].filter(
    (one) => one !== undefined,
  );
  return all.filter(({ text }) => {
    if (/^\.{1,2}\//.test(text) || text.includes('${{')) return false;
    if (text.startsWith('docker://')) return !/@sha256:[0-9a-f]{64}/.test(text);
    const at = text.lastIndexOf('@');
    if (at < 0) return true;
    const ref = text.slice(at + 1);
    if (/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(ref)) return false;
    // The makers of the runner itself: a release tag is as good as the runner; a branch is not.
    return !(OFFICIAL.test(text) && /^v\d/.test(ref));
  });
}

export function unpinnedImages(workflow: Workflow): Located[] {
  return workflow.jobs.flatMap(({ image }) =>
    image && !/@sha256:|\$\{\{/.test(image.text) && !/:[\w.-]*\d/.test(image.text) ? [image] : [],
  );
}

const WIDE = new Set([
  'contents',
  'packages',
  'actions',
  'id-token',
  'pull-requests',
  'issues',
  'deployments',
  'checks',
  'statuses',
  'security-events',
  'discussions',
  'pages',
  'repository-projects',
  'attestations',
]);

export function tooManyPermissions(workflow: Workflow): Span[] {
  if (workflow.isAction) return [];
  const found: Span[] = [];
  const atTop = workflow.permissions;
  if (atTop?.all === 'write-all' || atTop?.all === 'read-all') found.push(atTop);
  // What every job gets and only one of them needs.
  const writes = atTop ? [...atTop.scopes].filter(([scope, { text }]) => WIDE.has(scope) && text === 'write') : [];
  if (workflow.jobs.length > 1 && atTop) found.push(...writes.map(([, value]) => value));
  for (const job of workflow.jobs)
    if (job.permissions?.all === 'write-all' || job.permissions?.all === 'read-all') found.push(job.permissions);
  return found;
}

export function noPermissions(workflow: Workflow): Span[] {
  if (workflow.isAction || workflow.permissions || workflow.jobs.length === 0) return [];
  if (workflow.events.length === 1 && workflow.events[0] === 'workflow_call') return [];
  return workflow.jobs.filter(({ permissions }) => !permissions).slice(0, 1);
}

/** Code of a fork that is checked out where secrets and a token with write access are. */
export function foreignCheckouts(workflow: Workflow): Span[] {
  if (!workflow.events.some((event) => /^(pull_request_target|workflow_run|issue_comment)$/.test(event))) return [];
  return stepsOf(workflow).flatMap(({ step }) => {
    const ref = `${step.with.get('ref')?.text ?? ''} ${step.with.get('repository')?.text ?? ''}`;
    if (
      /^actions\/checkout@/.test(step.uses?.text ?? '') &&
      /pull_request\.head|head_ref|head_sha|head_branch|workflow_run\.head|refs\/pull|issue\.number|inputs\.|outputs\./.test(
        ref,
      )
    )
      return [step.uses ?? step];
    const run = step.run?.text ?? '';
    if (step.run && /gh pr checkout|git (fetch|checkout|pull)[^\n]*(pull\/|head\.(sha|ref)|head_ref)/.test(run))
      return [step.run];
    return [];
  });
}

export function dangerousEvents({ events, on, jobs, text }: Workflow): Span[] {
  if (!on || !events.some((event) => /^(pull_request_target|workflow_run)$/.test(event))) return [];
  const runsCode = jobs.some(({ steps }) =>
    steps.some(({ run, uses }) => (run && !/^\s*(echo|gh )/.test(run.text)) || /checkout/.test(uses?.text ?? '')),
  );
  return runsCode && !/repository_owner|author_association|head\.repo\.(full_name|fork)|github\.actor\s*==/.test(text)
    ? [on]
    : [];
}

export function exposedSecrets(workflow: Workflow): Span[] {
  const found: Span[] = [];
  for (const { step, job } of stepsOf(workflow)) {
    for (const { text, start, end } of step.run ? expressionsIn(step.run, workflow.text) : []) {
      if (/\bsecrets\.\w+|\bsecrets\[/.test(text) && !/secrets\.\w+\s*(!=|==)/.test(text)) found.push({ start, end });
    }
    for (const one of [...step.with.values(), ...step.env.values()])
      if (/toJSON\(\s*secrets\s*\)/i.test(one.text)) found.push(one);
    if (
      /^actions\/checkout@/.test(step.uses?.text ?? '') &&
      job.steps.some(
        (other) =>
          /upload-artifact@/.test(other.uses?.text ?? '') &&
          /^\.?\/?$|^\$\{\{ *github\.workspace *\}\}$/.test((other.with.get('path')?.text ?? 'x').trim()),
      ) &&
      step.with.get('persist-credentials')?.text !== 'false'
    )
      found.push(step.uses ?? step);
  }
  for (const job of workflow.jobs) if (job.secrets?.text === 'inherit') found.push(job.secrets);
  for (const scope of [
    workflow.env,
    ...(workflow.jobs.length > 0 && workflow.jobs.some(({ steps }) => steps.length > 1)
      ? workflow.jobs.map(({ env }) => env)
      : []),
  ]) {
    for (const value of scope.values()) if (/\bsecrets\.(?!GITHUB_TOKEN\b)\w+/.test(value.text)) found.push(value);
  }
  return found;
}

/** Literal passwords of containers and steps. */
export function writtenSecrets(workflow: Workflow): Span[] {
  return [
    ...workflow.text.matchAll(
      /^[ \t-]*((?:\w*_)?(?:password|passwd|token|secret|api_key|apikey|private_key|access_key|AWS_SECRET_ACCESS_KEY)):[ \t]*(["']?)([^\s"'#${]{6,})\2[ \t]*(?:#.*)?$/gim,
    ),
  ]
    .filter(
      ([, key = '', , value = '']) =>
        !/^(true|false|null|read|write|none|inherit|postgres|password|root|example|test|required|string|boolean)$/i.test(
          value,
        ) && !/^id-token$/i.test(key),
    )
    .map((match) => ({ start: match.index + match[0].search(/\S/), end: match.index + match[0].length }));
}

/** The file that variables of later steps are read from, written with what others decide. */
export function environmentFileInjections(workflow: Workflow): Span[] {
  return stepsOf(workflow).flatMap(({ step, job }) => {
    const run = step.run?.text ?? '';
    if (!step.run || !/>>?\s*["']?\$\{?(GITHUB_ENV|GITHUB_PATH|GITHUB_OUTPUT)|env:GITHUB_(ENV|PATH)/.test(run))
      return [];
    const foreign = [...step.env, ...job.env]
      .filter(([, { text }]) => FOREIGN.test(text) && !isTrusted(text, workflow))
      .map(([name]) => name);
    const line = run
      .split('\n')
      .find(
        (one) => /GITHUB_(ENV|PATH)\b/.test(one) && foreign.some((name) => new RegExp(`\\$\\{?${name}\\b`).test(one)),
      );
    return line === undefined ? [] : [step.run];
  });
}

const TOP_KEYS = new Set(['name', 'run-name', 'on', 'true', 'permissions', 'env', 'defaults', 'concurrency', 'jobs']);
const JOB_KEYS = new Set([
  'name',
  'permissions',
  'needs',
  'if',
  'runs-on',
  'environment',
  'concurrency',
  'outputs',
  'env',
  'defaults',
  'steps',
  'timeout-minutes',
  'strategy',
  'continue-on-error',
  'container',
  'services',
  'uses',
  'with',
  'secrets',
  'snapshot',
]);
const STEP_KEYS = new Set([
  'id',
  'if',
  'name',
  'uses',
  'run',
  'working-directory',
  'shell',
  'with',
  'env',
  'continue-on-error',
  'timeout-minutes',
]);
const EVENTS = new Set(
  'branch_protection_rule check_run check_suite create delete deployment deployment_status discussion discussion_comment fork gollum image_version issue_comment issues label merge_group milestone page_build project project_card project_column public pull_request pull_request_comment pull_request_review pull_request_review_comment pull_request_target push registry_package release repository_dispatch schedule status watch workflow_call workflow_dispatch workflow_run'.split(
    ' ',
  ),
);
const SCOPES = new Set([...WIDE, 'models', 'artifact-metadata']);
const CONTEXTS = new Set([
  'github',
  'env',
  'vars',
  'job',
  'jobs',
  'steps',
  'runner',
  'secrets',
  'strategy',
  'matrix',
  'needs',
  'inputs',
]);
const FUNCTIONS = new Set([
  'contains',
  'startswith',
  'endswith',
  'format',
  'join',
  'tojson',
  'fromjson',
  'hashfiles',
  'success',
  'always',
  'cancelled',
  'failure',
  'case',
]);
const SHELLS = /^(bash|pwsh|python|sh|cmd|powershell|node|.*\{0\}.*|\$\{\{.*)$/;
const OLD_RUNNERS = /^(ubuntu-(16|18|20)\.04|macos-(10\.15|11|12|13)|windows-(2016|2019))$/;

/** What GitHub would refuse, or run otherwise than it reads. */
export function syntaxProblems(workflow: Workflow): Span[] {
  const found: Span[] = [...workflow.problems];
  const place = (key: string): Span => keyPlace(workflow.text, key);
  if (workflow.isAction) return found;
  found.push(...workflow.keys.filter((key) => !TOP_KEYS.has(key)).map(place));
  if (!workflow.keys.includes('jobs') || (!workflow.on && !workflow.keys.includes('on')))
    found.push({ start: 0, end: Math.max(1, workflow.text.search(/\n|$/)) });
  found.push(...workflow.events.filter((event) => !EVENTS.has(event)).map(place));
  for (const permissions of [workflow.permissions, ...workflow.jobs.map((job) => job.permissions)]) {
    if (!permissions) continue;
    if (permissions.all !== '' && !/^(read-all|write-all)$/.test(permissions.all) && permissions.scopes.size === 0)
      found.push(permissions);
    for (const [scope, value] of permissions.scopes)
      if (!SCOPES.has(scope) || !/^(read|write|none)$/.test(value.text)) found.push(value);
  }
  const ids = new Set(workflow.jobs.map(({ id }) => id));
  for (const job of workflow.jobs) {
    if (!/^[A-Za-z_][\w-]*$/.test(job.id)) found.push(job);
    found.push(...job.keys.filter((key) => !JOB_KEYS.has(key)).map(place));
    if (!job.keys.includes('uses') && (!job.keys.includes('runs-on') || !job.keys.includes('steps'))) found.push(job);
    if (job.runsOn && OLD_RUNNERS.test(job.runsOn.text)) found.push(job.runsOn);
    if (job.needs.some((need) => !ids.has(need)) || job.needs.includes(job.id)) found.push(job);
    found.push(...stepProblems(job, place));
  }
  for (const scalar of workflow.scalars)
    for (const one of expressionsIn(scalar, workflow.text)) if (isBadExpression(one.text, workflow)) found.push(one);
  return found;
}

function stepProblems(job: Job, place: (key: string) => Span): Span[] {
  const seen = new Set<string>();
  return job.steps.flatMap((step) => {
    const bad: Span[] = step.keys.filter((key) => !STEP_KEYS.has(key)).map(place);
    const both = step.keys.includes('uses') === step.keys.includes('run');
    if (both) bad.push({ start: step.start, end: step.start + 1 });
    if (step.id !== '' && seen.has(step.id.toLowerCase())) bad.push({ start: step.start, end: step.start + 1 });
    seen.add(step.id.toLowerCase());
    if (step.shell !== '' && !SHELLS.test(step.shell)) bad.push({ start: step.start, end: step.start + 1 });
    const uses = step.uses?.text ?? '';
    if (step.uses && !/^(\.{1,2}\/|docker:\/\/|[\w.-]+\/[\w./-]+@.+|.*\$\{\{)/.test(uses)) bad.push(step.uses);
    if (
      step.uses &&
      /^actions\/(checkout|setup-node|setup-python|cache|upload-artifact|download-artifact|setup-java|setup-go)@v[12]$/.test(
        uses,
      )
    )
      bad.push(step.uses);
    if (step.run && /::(set-output|save-state|set-env|add-path)\b/.test(step.run.text)) bad.push(step.run);
    // Always true: text around an expression is text.
    if (/\$\{\{/.test(step.condition) && !/^\s*\$\{\{[\s\S]*\}\}\s*$/.test(step.condition))
      bad.push({ start: step.start, end: step.start + 1 });
    return bad;
  });
}

function isBadExpression(text: string, workflow: Workflow): boolean {
  const plain = text.replace(/'(?:[^']|'')*'/g, "''");
  if (
    plain.trim() === '' ||
    /"|===|&&&|\|\|\||(?<![&])&(?!&)|(?<!\|)\|(?!\|)|[+;]|(?<!=)=(?!=)(?<![!<>=]=)/.test(
      plain.replace(/[!<>]=|==/g, ''),
    )
  )
    return true;
  let open = 0;
  for (const sign of plain) open += sign === '(' || sign === '[' ? 1 : sign === ')' || sign === ']' ? -1 : 0;
  if (open !== 0) return true;
  for (const [, name = ''] of plain.matchAll(/(?<![\w.'-])([A-Za-z_][\w-]*)\s*\(/g))
    if (!FUNCTIONS.has(name.toLowerCase())) return true;
  for (const [, name = '', sign = ''] of plain.matchAll(/(?<![\w.'\]-])([A-Za-z_][\w-]*)\s*(\.|\[|$|\s)/g)) {
    if (/^(true|false|null|NaN|Infinity)$/i.test(name) || FUNCTIONS.has(name.toLowerCase())) continue;
    if (!CONTEXTS.has(name.toLowerCase()) && (sign === '.' || sign === '[' || plain.trim() === name)) return true;
  }
  return [...plain.matchAll(/\bneeds\.([\w-]+)/g)].some(([, id = '']) => !workflow.jobs.some((job) => job.id === id));
}

function keyPlace(text: string, key: string): Span {
  const match = new RegExp(`(^|[\\s\\[,{-])(${key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')})\\s*(:|$|[\\],])`, 'm').exec(
    text,
  );
  const start = match ? match.index + (match[1]?.length ?? 0) : 0;
  return { start, end: start + Math.max(1, key.length) };
}
