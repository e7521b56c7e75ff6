import type { RuleDefinition } from '../rule.js';
import {
  dangerousEvents,
  environmentFileInjections,
  exposedSecrets,
  foreignCheckouts,
  noPermissions,
  scriptInjections,
  syntaxProblems,
  tooManyPermissions,
  unpinned,
  unpinnedImages,
  workflowCheck,
  writtenSecrets,
} from '../../actions/checks.js';

const LANGUAGES = ['actions'] as const;
const REFERENCES = [
  'https://docs.github.com/en/actions/security-for-github-actions/security-guides/security-hardening-for-github-actions',
];

/** Workflows of GitHub: who decides what runs, with which token, and what gets out. */
export const ACTIONS_RULES: readonly RuleDefinition[] = [
  {
    id: 'gha-script-injection',
    class: 'gha-injection',
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Text that anybody can write (a title, a comment, the name of a branch) is put into a script before the shell reads it, so it runs as code with the token and the secrets of the job. Hand it over through `env:` and use it as "$NAME".',
    matches: { file: workflowCheck(scriptInjections) },
    fix: {
      description: 'Hand the text over in a variable',
      apply: 'shell-variable',
      safe: 'The shell sees the same text, and only no longer runs it as code. Other shells, single quotes and here-documents are left to people.',
    },
    references: REFERENCES,
    examples: {
      bad: [
        'on: issues\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo "${{ github.event.issue.title }}"\n',
        'on: pull_request\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: |\n          git checkout ${{ github.head_ref }}\n',
        'on: issue_comment\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/github-script@v7\n        with:\n          script: console.log("${{ github.event.comment.body }}")\n',
      ],
      good: [
        'on: issues\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo "$TITLE"\n        env:\n          TITLE: ${{ github.event.issue.title }}\n',
        'on: pull_request\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: |\n          git checkout ${{ github.sha }}\n',
        'on: issue_comment\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/github-script@v7\n        with:\n          script: console.log(context.payload.comment.body)\n',
        'on:\n  workflow_dispatch:\n    inputs:\n      dry:\n        type: boolean\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: test "${{ inputs.dry }}" = true\n',
      ],
    },
  },
  {
    id: 'gha-environment-injection',
    class: 'gha-injection',
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Text that anybody can write goes into the file that later steps take their variables from, so with a line end in it it sets any variable (LD_PRELOAD, NODE_OPTIONS) and runs code. Write it as an output, and check it before.',
    matches: { file: workflowCheck(environmentFileInjections) },
    references: REFERENCES,
    examples: {
      bad: [
        'on: pull_request_target\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo "BRANCH=$B" >> "$GITHUB_ENV"\n        env:\n          B: ${{ github.head_ref }}\n',
        'on: issues\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: |\n          echo "T=${T}" >> $GITHUB_ENV\n        env:\n          T: ${{ github.event.issue.title }}\n',
        'on: issue_comment\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo "$P" >> $GITHUB_PATH\n        env:\n          P: ${{ github.event.comment.body }}\n',
      ],
      good: [
        'on: pull_request_target\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo "$B"\n        env:\n          B: ${{ github.head_ref }}\n',
        'on: issues\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: |\n          echo "T=1" >> $GITHUB_ENV\n        env:\n          T: ${{ github.event.issue.title }}\n',
        'on: issue_comment\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo "/opt/bin" >> $GITHUB_PATH\n',
      ],
    },
  },
  {
    id: 'gha-action-unpinned',
    class: 'gha-unpinned',
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The action is named by a tag or a branch, which its owner, or who breaks in there, can move: other code then runs with your token. Name the commit (40 digits), with the version as a comment.',
    matches: { file: workflowCheck(unpinned) },
    references: REFERENCES,
    examples: {
      bad: [
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: someone/thing@v2\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@main\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: docker://alpine:3.18\n',
      ],
      good: [
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: someone/thing@8f4b7f84864484a7bf31766abe9204da3cbe65b3\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: ./local/action\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v4\n',
      ],
    },
  },
  {
    id: 'gha-image-unpinned',
    class: 'gha-unpinned',
    severity: 'low',
    confidence: 'high',
    languages: LANGUAGES,
    message: 'The image of the job has no version, so a later run gets another one. Name a version, better the digest.',
    matches: { file: workflowCheck(unpinnedImages) },
    references: REFERENCES,
    examples: {
      bad: [
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    container: node\n    steps:\n      - run: make\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    container: node:latest\n    steps:\n      - run: make\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    container:\n      image: ghcr.io/a/b\n    steps:\n      - run: make\n',
      ],
      good: [
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    container: node:24\n    steps:\n      - run: make\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    container: node@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n    steps:\n      - run: make\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    container:\n      image: ghcr.io/a/b:1.2\n    steps:\n      - run: make\n',
      ],
    },
  },
  {
    id: 'gha-permissions-wide',
    class: 'gha-permissions',
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The token may do more than the job needs, so who takes over one step can write to the repository, its packages or its releases. Give `contents: read` to the workflow, and each job what it alone needs.',
    matches: { file: workflowCheck(tooManyPermissions) },
    references: REFERENCES,
    examples: {
      bad: [
        'on: push\npermissions: write-all\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n',
        'on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    permissions: write-all\n    steps:\n      - run: make\n',
        'on: push\npermissions:\n  contents: write\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n  b:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: b\n',
      ],
      good: [
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    permissions:\n      contents: write\n    steps:\n      - run: make\n',
        'on: push\npermissions:\n  contents: read\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n  b:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: b\n',
      ],
    },
  },
  {
    id: 'gha-permissions-default',
    class: 'gha-permissions',
    severity: 'low',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Nothing says what the token may do, so it gets what the settings give: in older repositories everything. Write `permissions: contents: read` at the top.',
    matches: { file: workflowCheck(noPermissions) },
    references: REFERENCES,
    examples: {
      bad: [
        'on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n',
        'on: [push, pull_request]\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n',
        'on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    permissions:\n      contents: read\n    steps:\n      - run: make\n  b:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: b\n',
      ],
      good: [
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n',
        'on: [push, pull_request]\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    permissions: {}\n    steps:\n      - run: make\n',
        'on: workflow_call\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n',
      ],
    },
  },
  {
    id: 'gha-foreign-code',
    class: 'gha-permissions',
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      "Code of a pull request is checked out in a workflow that has secrets and a token with write access, so whoever opens one runs code with them. Use `pull_request`, or don't run anything of that code.",
    matches: { file: workflowCheck(foreignCheckouts) },
    references: REFERENCES,
    examples: {
      bad: [
        'on: pull_request_target\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v4\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - run: npm ci\n',
        'on: workflow_run\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v4\n        with:\n          ref: ${{ github.event.workflow_run.head_branch }}\n      - run: make\n',
        'on: issue_comment\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: gh pr checkout ${{ github.event.issue.number }} && make\n',
      ],
      good: [
        'on: pull_request\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v4\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - run: npm ci\n',
        'on: workflow_run\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v4\n      - run: make\n',
        'on: issue_comment\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: gh pr comment 1 --body hello\n',
      ],
    },
  },
  {
    id: 'gha-dangerous-event',
    class: 'gha-permissions',
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'This event runs with secrets and a token with write access for pull requests of anybody. Use `pull_request`; where it must be this one, run nothing of the pull request and ask who sent it.',
    matches: { file: workflowCheck(dangerousEvents) },
    references: REFERENCES,
    examples: {
      bad: [
        'on: pull_request_target\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v4\n      - run: make\n',
        'on: [pull_request_target]\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: npm test\n',
        'on:\n  workflow_run:\n    workflows: [a]\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n',
      ],
      good: [
        'on: pull_request\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v4\n      - run: make\n',
        'on: pull_request_target\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/labeler@v5\n',
        'on: [push]\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: npm test\n',
      ],
    },
  },
  {
    id: 'gha-secret-exposed',
    class: 'gha-secrets',
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'More of the job than one step sees the secret, or it stands in the text of a script: an action or a log can give it away. Put it into the `env:` of the one step that needs it.',
    matches: { file: workflowCheck(exposedSecrets) },
    references: REFERENCES,
    examples: {
      bad: [
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: curl https://a.example/${{ secrets.KEY }}\n',
        'on: push\npermissions: {}\nenv:\n  KEY: ${{ secrets.KEY }}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    uses: x/y/.github/workflows/z.yml@8f4b7f84864484a7bf31766abe9204da3cbe65b3\n    secrets: inherit\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n        env:\n          ALL: ${{ toJSON(secrets) }}\n',
      ],
      good: [
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: curl -H "X: $KEY" https://a.example\n        env:\n          KEY: ${{ secrets.KEY }}\n',
        'on: push\npermissions: {}\nenv:\n  KEY: ${{ vars.KEY }}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    uses: x/y/.github/workflows/z.yml@8f4b7f84864484a7bf31766abe9204da3cbe65b3\n    secrets:\n      KEY: ${{ secrets.KEY }}\n',
      ],
    },
  },
  {
    id: 'gha-secret-written',
    class: 'gha-secrets',
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A credential stands in the workflow, so everybody who sees the repository has it. Revoke it, and read it from the secrets of the repository.',
    matches: { file: workflowCheck(writtenSecrets) },
    references: REFERENCES,
    examples: {
      bad: [
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n        env:\n          DB_PASSWORD: rainy-Harbour-4417\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: a/b@8f4b7f84864484a7bf31766abe9204da3cbe65b3\n        with:\n          password: "k3ttleLamp99"\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    container:\n      image: a:1\n      credentials:\n        username: u\n        password: hackme99\n    steps:\n      - run: make\n',
      ],
      good: [
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n        env:\n          DB_PASSWORD: ${{ secrets.DB }}\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: a/b@8f4b7f84864484a7bf31766abe9204da3cbe65b3\n        with:\n          password: "$PASS"\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    services:\n      db:\n        image: a:1\n        env:\n          POSTGRES_PASSWORD: postgres\n    steps:\n      - run: make\n',
      ],
    },
  },
  {
    id: 'gha-not-valid',
    class: 'gha-syntax',
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'GitHub refuses this, or does something else than it reads: an unknown key, event, context or function, a step with both or neither of `uses` and `run`, a runner that is gone, a condition that is always true.',
    matches: { file: workflowCheck(syntaxProblems) },
    references: REFERENCES,
    examples: {
      bad: [
        'on: pushes\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n        uses: a/b@v1\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ unknown.value }}\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n        if: ${{ github.ref }} == 1\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - runs: make\n',
      ],
      good: [
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: a/b@8f4b7f84864484a7bf31766abe9204da3cbe65b3\n',
        'on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ github.sha }}\n',
        "on: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n        if: ${{ github.ref == '1' }}\n",
      ],
    },
  },
];
