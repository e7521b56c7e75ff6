import { parseDockerfile, type DockerInstruction } from '@devmesh/analysis/parse/dockerfile';
import { makeEdits, type EditedFile, type ReasonedEdit } from '@devmesh/analysis/stack/line-edits';
import { healthProbe } from '../images/health-probe.js';

/** What is known of the component that a Dockerfile belongs to. */
export interface ImageFacts {
  readonly ecosystem: string;
  /** Route that says whether it is well, and the port that it listens on. */
  readonly healthPath: string | undefined;
  readonly port: string | undefined;
}

/**
 * Small edits of somebody's Dockerfile: a user that isn't root, and a health check that asks a route which the code has. Only
 * where the last stage starts a program of Node.js or Python on an official image, in exec form, on a port that an ordinary
 * user may open, without volumes. Undefined when there is nothing to improve.
 */
export function improveDockerfile(path: string, text: string, facts: ImageFacts): EditedFile | undefined {
  const parsed = parseDockerfile(text);
  const stage = parsed.stages.at(-1);
  if (!parsed.valid || !stage) return undefined;
  const { instructions } = stage;
  const start =
    instructions.find(({ keyword }) => keyword === 'ENTRYPOINT') ??
    instructions.find(({ keyword }) => keyword === 'CMD');
  const [, program = ''] = /^\[\s*"([^"]+)"/.exec(start?.value ?? '') ?? [];
  if (!start || !/^(node|npm|npx|yarn|pnpm|python3?|gunicorn|uvicorn|flask|hypercorn|daphne|celery)$/.test(program))
    return undefined;
  const [, image] = /^(?:docker\.io\/(?:library\/)?)?(node|python)(?::([\w.-]+))?(?:@|$)/.exec(stage.base) ?? [];
  if (image === undefined) return undefined;
  const exposed = instructions.find(({ keyword }) => keyword === 'EXPOSE')?.value.split(/[\s/]/)[0];
  const port = facts.port ?? exposed;
  const before = previous(instructions, start) ?? stage.from;
  const at = text.indexOf('\n', before.end) < 0 ? before.end : text.indexOf('\n', before.end) + 1;
  const insert = (lines: readonly string[], change: string, reason: string): ReasonedEdit => ({
    start: at,
    end: at,
    text: `${lines.join('\n')}\n`,
    change,
    reason,
  });
  const edits: ReasonedEdit[] = [];
  const ordinary = port === undefined || Number(port) >= 1024;
  // Images of Python have no user to take: one that is made here may lack rights that nobody can tell from the file.
  if (image === 'node' && !hasAny(instructions, 'USER') && ordinary && !hasAny(instructions, 'VOLUME')) {
    edits.push(
      insert(
        ['USER node'],
        'run as node, which the base image has',
        'without USER the program is root in the container: a hole in it would give all of the container away',
      ),
    );
  }
  if (
    facts.healthPath !== undefined &&
    facts.port !== undefined &&
    facts.ecosystem === image &&
    !hasAny(instructions, 'HEALTHCHECK')
  ) {
    edits.push(
      insert(
        [healthProbe(image === 'node' ? 'node' : 'python', facts.port, facts.healthPath)],
        `ask ${facts.healthPath} whether it is well`,
        `the code answers ${facts.healthPath} on port ${facts.port}; without HEALTHCHECK an engine only sees that the process lives`,
      ),
    );
  }
  return makeEdits(path, text, edits);
}

function hasAny(instructions: readonly DockerInstruction[], keyword: string): boolean {
  return instructions.some((one) => one.keyword === keyword);
}

function previous(instructions: readonly DockerInstruction[], one: DockerInstruction): DockerInstruction | undefined {
  return instructions[instructions.indexOf(one) - 1];
}
