/** An image to be written: paths are relative to the repository. */
export interface Image {
  readonly dockerfile: string;
  readonly content: string;
  /** Folder that the image is built from. */
  readonly context: string;
  /** Port inside the container. */
  readonly port: string | undefined;
  readonly dockerignore: string;
}

/** Why there is none, as the end of a sentence. */
export interface NoImage {
  readonly reason: string;
}

/** What no image should be built with: history, secrets, and the files that only build it. */
export const DOCKERIGNORE_COMMON: readonly string[] = [
  '.git',
  '.github',
  '**/.env',
  '**/.env.*',
  '!**/.env.example',
  '**/*.log',
  '**/Dockerfile',
  '**/.dockerignore',
  'compose.yaml',
];
