import { DevmeshError } from '@devmesh/contracts/errors';
import { z } from 'zod';

/** A pull request as far as it matters here. */
export interface PullRequest {
  readonly number: number;
  readonly url: string;
  readonly title: string;
  readonly body: string;
}

export interface PullRequestContent {
  readonly title: string;
  readonly body: string;
}

/**
 * A forge's pull requests. Throws `forbidden`, `not_found` and `conflict` (nothing was done), `unavailable` when nobody knows.
 */
export interface ForgeClient {
  /** The open pull request for a head branch; null when there is none. */
  find(head: string, signal: AbortSignal): Promise<PullRequest | null>;
  /** Throws `conflict` when one is open for that head. */
  open(head: string, base: string, content: PullRequestContent, signal: AbortSignal): Promise<PullRequest>;
  update(number: number, content: PullRequestContent, signal: AbortSignal): Promise<PullRequest>;
}

export interface GitHubForgeOptions {
  readonly api: string;
  readonly token: string;
  readonly owner: string;
  readonly repository: string;
}

const Pull = z.object({
  number: z.number().int().positive(),
  html_url: z.string(),
  title: z.string(),
  body: z.string().nullable(),
});

/** The REST API of GitHub (version 2022-11-28), which Gitea and Forgejo have too. */
export class GitHubForge implements ForgeClient {
  constructor(private readonly options: GitHubForgeOptions) {}

  async find(head: string, signal: AbortSignal): Promise<PullRequest | null> {
    const query = new URLSearchParams({ state: 'open', head: `${this.options.owner}:${head}` });
    const pulls = await this.call('GET', `/pulls?${query.toString()}`, undefined, z.array(Pull), signal);
    return pulls[0] === undefined ? null : shown(pulls[0]);
  }

  async open(head: string, base: string, content: PullRequestContent, signal: AbortSignal): Promise<PullRequest> {
    return shown(await this.call('POST', '/pulls', { head, base, ...content }, Pull, signal));
  }

  async update(number: number, content: PullRequestContent, signal: AbortSignal): Promise<PullRequest> {
    return shown(await this.call('PATCH', `/pulls/${number}`, content, Pull, signal));
  }

  private async call<S extends z.ZodType>(
    method: string,
    path: string,
    body: object | undefined,
    schema: S,
    signal: AbortSignal,
  ): Promise<z.infer<S>> {
    const { api, token, owner, repository } = this.options;
    const what = `${method} ${owner}/${repository}${path.split('?')[0] ?? ''}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${api.replace(/\/+$/, '')}/repos/${owner}/${repository}${path}`, {
        method,
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Bearer ${token}`,
          'user-agent': 'devmesh',
          'x-github-api-version': '2022-11-28',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        // A token is for this host: nobody sends it on.
        redirect: 'error',
        signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await response.text();
    } catch (cause) {
      throw new DevmeshError('unavailable', `the forge did not answer ${what}`, { cause });
    }
    if (!response.ok) throw refusal(response, text, what);
    const parsed = schema.safeParse(json(text));
    if (!parsed.success)
      throw new DevmeshError('bad_reply', `the forge answered ${what} with something else than a pull request`);
    return parsed.data;
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal({ status, headers }: Response, text: string, what: string): DevmeshError {
  const said = text.slice(0, 300);
  if (status === 429 || status >= 500) {
    const after = Number(headers.get('retry-after'));
    const retry = Number.isFinite(after) && after > 0 ? { retryAfterMs: after * 1000 } : {};
    return new DevmeshError('unavailable', `the forge answered ${what} with ${status}`, retry);
  }
  if (status === 401 || status === 403)
    return new DevmeshError(
      'forbidden',
      `the forge refused ${what} (${status}): give feature-dev a token that may open pull requests`,
    );
  if (status === 404)
    return new DevmeshError('not_found', `the forge knows no ${what}; check the remote, and what the token may see`);
  return new DevmeshError('conflict', `the forge refused ${what} (${status}): ${said}`);
}

function shown({ number, html_url: url, title, body }: z.infer<typeof Pull>): PullRequest {
  return { number, url, title, body: body ?? '' };
}
