/** A part of a task that asks for one thing. `after` is true when it follows the one before ("then …"). */
export interface Clause {
  readonly text: string;
  readonly after: boolean;
}

const SEQUENCE = /\b(?:and then|then|after that|afterwards)\b/i;
/** "and" divides only where a new order follows: "build search and filters" is one thing. */
const VERBS =
  'build|implement|add|create|develop|write|make|fix|refactor|change|update|remove|rename|improve|deploy|provision|containeri[sz]e|dockeri[sz]e|set up|setup|configure|review|audit|check|document|describe|generate|test|index|search|explain|harden|migrate|upgrade|release|publish|scan';
const DIVIDERS = new RegExp(String.raw`\s*;\s*|\n+|(?:,\s*|\s+)and\s+(?=(?:${VERBS})\b)|,\s*(?=(?:${VERBS})\b)`, 'i');

function divide(text: string): string[] {
  return text
    .split(/\s+AND\s+/)
    .flatMap((part) => part.split(DIVIDERS))
    .map((part) => part.replace(/^[\s,.;]+|[\s,.;]+$/g, ''))
    .filter((part) => part !== '');
}

/** Divides a task into its orders: "A AND B", "A; B", "A, then B", "A and deploy B". */
export function clausesOf(task: string): Clause[] {
  return task
    .split(SEQUENCE)
    .map(divide)
    .filter((group) => group.length > 0)
    .flatMap((group, turn) => group.map((text, index) => ({ text, after: turn > 0 && index === 0 })));
}
