import { findSettings, isSettingsFile } from '../../secrets/settings.js';
import { findShapes } from '../../secrets/shapes.js';
import { literalPassword } from '../python-facts.js';
import type { Expr, Stmt } from '../../flow/ir.js';
import type { RuleDefinition } from '../rule.js';

const REFERENCES = ['https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html'];
const MESSAGE =
  'A credential stands in this file, so everybody who sees the repository has it, for as long as its history lives. Revoke it, and read the new one from the environment or a secret store.';

// Put together here, so that no other tool takes this file for one with credentials.
const GITHUB = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_');
const AWS = ['AKIA', 'Z7QK5WJ3NTRL2VXB'].join('');
const STRIPE = ['sk', 'live', '9fKq2LmX7vTzR4bNw8YcPd3H'].join('_');

/** Credentials by their form, and by what they are called. */
export const SECRET_RULES: readonly RuleDefinition[] = [
  {
    id: 'token-of-a-service',
    class: 'hardcoded-secret',
    cwe: 798,
    severity: 'high',
    confidence: 'high',
    languages: [
      'text',
      'javascript',
      'typescript',
      'tsx',
      'python',
      'go',
      'java',
      'dockerfile',
      'actions',
      'kubernetes',
      'compose',
      'terraform',
    ],
    skipsTests: true,
    message: MESSAGE,
    matches: { file: ({ text, path }) => (/\.(snippets|lock|svg|map)$/.test(path) ? [] : findShapes(text)) },
    references: REFERENCES,
    examples: {
      bad: [
        `TOKEN=${GITHUB}\n`,
        { language: 'javascript', code: `const key = '${AWS}';\n` },
        { language: 'python', code: `stripe.api_key = "${STRIPE}"\n` },
      ],
      good: [
        'TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n',
        { language: 'javascript', code: "const key = 'AKIAIOSFODNN7EXAMPLE';\n" },
        { language: 'python', code: 'stripe.api_key = os.environ["STRIPE"]\n' },
      ],
    },
  },
  {
    id: 'credential-in-settings',
    class: 'hardcoded-secret',
    cwe: 798,
    severity: 'high',
    confidence: 'medium',
    languages: ['text', 'dockerfile', 'kubernetes', 'compose', 'terraform'],
    skipsTests: true,
    message: MESSAGE,
    matches: { file: ({ text, path }) => (isSettingsFile(path) ? findSettings(text) : []) },
    references: REFERENCES,
    examples: {
      bad: [
        'DB_PASSWORD=hunter2\n',
        'spring.datasource.password = Tr0ub4dor\n',
        'url: postgres://app:rainy99@db.shop.com/app\n',
        'curl -u admin:letmein1 https://a.shop.com\n',
      ],
      good: [
        'DB_PASSWORD=${DB_PASSWORD}\n',
        'spring.datasource.password = changeme\n',
        'url: postgres://app:$PASSWORD@db.shop.com/app\n',
        'curl -u "$USER:$PASSWORD" https://a.shop.com\n',
      ],
    },
  },
  {
    id: 'js-literal-password',
    class: 'hardcoded-secret',
    cwe: 798,
    severity: 'medium',
    confidence: 'medium',
    languages: ['typescript', 'javascript', 'tsx'],
    skipsTests: true,
    message: MESSAGE,
    matches: {
      flow: [
        { expression: 'assign', when: (node: Expr) => node.k === 'assign' && literalPassword(node.target, node.value) },
        {
          expression: 'op',
          when: (node: Expr) =>
            node.k === 'op' &&
            /^[=!]==?$/.test(node.op) &&
            node.operands.length === 2 &&
            literalPassword(node.operands[0], node.operands[1]),
        },
        { expression: 'object', when: (node: Expr) => node.k === 'object' && entryOf(node) },
        {
          statement: 'func',
          when: (node: Stmt) =>
            node.k === 'func' && node.fn.params.some((one) => literalPassword(one.target, one.initial)),
        },
      ],
    },
    references: REFERENCES,
    examples: {
      bad: [
        "const password = 'hunter2';",
        "connect({ user: 'a', password: 'hunter2' });",
        "if (user.password === 'letmein9') open();",
      ],
      good: [
        "const password = '';",
        "connect({ user: 'a', password: input.value });",
        'if (user.password === other) open();',
      ],
    },
  },
];

function entryOf(node: Extract<Expr, { k: 'object' }>): boolean | { start: number; end: number } {
  const found = node.entries.find(
    ({ key, value }) => key !== undefined && literalPassword({ k: 'name', name: key, start: 0, end: 0 }, value),
  );
  return found ? { start: found.value.start, end: found.value.end } : false;
}
