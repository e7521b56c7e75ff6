import type { RuleDefinition } from '../rule.js';

const REFERENCE = 'https://docs.docker.com/build/building/best-practices/';

/** Images: who they run as, what they are built on, what is left in them. */
export const DOCKER_RULES: readonly RuleDefinition[] = [
  {
    id: 'docker-runs-as-root',
    class: 'docker-root-user',
    severity: 'medium',
    confidence: 'high',
    languages: ['dockerfile'],
    message:
      'The container runs as root, so who breaks into the program owns everything in it and is one flaw away from the host. Make a user and name it with USER.',
    matches: { docker: 'final-stage-runs-as-root' },
    references: [REFERENCE],
    examples: {
      bad: [
        'FROM node:24-slim\nCMD ["node", "a.js"]\n',
        'FROM node:24-slim\nUSER node\nRUN true\nUSER root\nCMD ["node", "a.js"]\n',
        'FROM node:24-slim AS build\nUSER node\nRUN make\nFROM debian:12\nCOPY --from=build /a /a\nENTRYPOINT ["/a"]\n',
      ],
      good: [
        'FROM node:24-slim\nUSER node\nCMD ["node", "a.js"]\n',
        'FROM node:24-slim AS base\nUSER 1000:1000\nFROM base\nCMD ["node", "a.js"]\n',
        'FROM gcr.io/distroless/nodejs24:nonroot\nCMD ["a.js"]\n',
      ],
    },
  },
  {
    id: 'docker-base-without-version',
    class: 'docker-unpinned',
    severity: 'medium',
    confidence: 'high',
    languages: ['dockerfile'],
    message:
      'The base image has no version, so the same build gives another image tomorrow. Name a tag that says a version, or a digest.',
    matches: { docker: 'base-without-version' },
    references: [REFERENCE],
    examples: {
      bad: [
        'FROM node\nUSER node\n',
        'FROM node:latest AS a\nUSER node\n',
        'FROM --platform=linux/amd64 registry.example:5000/team/app\nUSER 1\n',
      ],
      good: [
        'FROM node:24.1-slim\nUSER node\n',
        'FROM node:24 AS a\nFROM a\nUSER node\n',
        'ARG V\nFROM node:${V}\nUSER node\n',
        'FROM scratch\nUSER 1\n',
      ],
    },
  },
  {
    id: 'docker-installs-recommends',
    class: 'docker-recommends',
    severity: 'low',
    confidence: 'high',
    languages: ['dockerfile'],
    message:
      'apt installs everything that its packages recommend: a bigger image with more to attack. Say --no-install-recommends.',
    matches: { docker: 'apt-installs-recommends' },
    fix: {
      description: 'Install no recommended packages',
      apply: 'docker',
      safe: 'The packages that are named, and what they depend on, are installed as before; recommended ones are extras that nobody named.',
    },
    references: [REFERENCE],
    examples: {
      bad: [
        'FROM debian:12\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\nUSER 1\n',
        'FROM debian:12\nRUN apt-get update \\\n    && apt-get -y install \\\n       curl \\\n    && rm -rf /var/lib/apt/lists/*\nUSER 1\n',
        'FROM debian:12\nRUN <<EOF\napt-get update\napt-get install -y curl\nrm -rf /var/lib/apt/lists/*\nEOF\nUSER 1\n',
      ],
      good: [
        'FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*\nUSER 1\n',
        'FROM debian:12\nRUN apt-get update && apt-get install -y curl \\\n    --no-install-recommends && rm -rf /var/lib/apt/lists/*\nUSER 1\n',
        'FROM alpine:3.22\nRUN apk add --no-cache curl\nUSER 1\n',
      ],
    },
  },
  {
    id: 'docker-apt-lists-stay',
    class: 'docker-cleanup',
    severity: 'low',
    confidence: 'high',
    languages: ['dockerfile'],
    message:
      'The package lists stay in this layer and make the image bigger. Remove /var/lib/apt/lists/* in the same RUN.',
    matches: { docker: 'apt-lists-stay' },
    fix: {
      description: 'Remove the lists in the same layer',
      apply: 'docker',
      safe: 'Lists serve installing alone, and no later RUN of the file installs without getting them anew.',
    },
    references: [REFERENCE],
    examples: {
      bad: [
        'FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl\nUSER 1\n',
        'FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl\nRUN rm -rf /var/lib/apt/lists/*\nUSER 1\n',
        'FROM debian:12 AS a\nRUN apt update; apt install -y --no-install-recommends curl\nFROM a\nUSER 1\n',
      ],
      good: [
        'FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*\nUSER 1\n',
        'FROM debian:12 AS a\nRUN apt-get update && apt-get install -y --no-install-recommends curl\nFROM debian:12\nCOPY --from=a /a /a\nUSER 1\n',
        'FROM debian:12\nRUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y --no-install-recommends curl\nUSER 1\n',
      ],
    },
  },
  {
    id: 'docker-add-of-local-file',
    class: 'docker-copy',
    severity: 'low',
    confidence: 'high',
    languages: ['dockerfile'],
    message: 'ADD does more than copy: it fetches addresses and unpacks archives. For plain files say COPY.',
    matches: { docker: 'add-of-local-file' },
    fix: {
      description: 'Copy the file',
      apply: 'docker',
      safe: 'COPY does exactly what ADD does for a local file that is no archive.',
    },
    references: [REFERENCE],
    examples: {
      bad: [
        'FROM node:24\nADD a.js /app/\nUSER node\n',
        'FROM node:24\nadd ["a b.js", "/app/"]\nUSER node\n',
        'FROM node:24\nADD --chown=node \\\n  src /app/src\nUSER node\n',
      ],
      good: [
        'FROM node:24\nCOPY a.js /app/\nUSER node\n',
        'FROM node:24\nADD rootfs.tar.gz /\nUSER node\n',
        'FROM node:24\nADD https://a.example/a.js /app/\nUSER node\n',
        'FROM node:24\nADD *.any /app/\nUSER node\n',
      ],
    },
  },
  {
    id: 'docker-sudo',
    class: 'docker-sudo',
    severity: 'low',
    confidence: 'high',
    languages: ['dockerfile'],
    message: 'sudo in an image needs a terminal and leaves a way to root behind. Switch with USER instead.',
    matches: { docker: 'sudo' },
    fix: {
      description: 'Leave sudo out',
      apply: 'without-sudo',
      safe: "Only where the user is root already, by USER or by the base image: then sudo changes nobody, and plain base images don't even have it.",
    },
    references: [REFERENCE],
    examples: {
      bad: [
        'FROM debian:12\nRUN sudo make install\nUSER 1\n',
        'FROM debian:12\nRUN cd /a && \\\n  sudo make\nUSER 1\n',
        'FROM debian:12\nRUN ["sudo", "make"]\nUSER 1\n',
      ],
      good: [
        'FROM debian:12\nRUN make install\nUSER 1\n',
        'FROM debian:12\nRUN echo "no sudo here"\nUSER 1\n',
        'FROM debian:12\n# RUN sudo make\nUSER 1\n',
      ],
    },
  },
  {
    id: 'docker-secret-in-environment',
    class: 'hardcoded-secret',
    cwe: 798,
    severity: 'high',
    confidence: 'medium',
    languages: ['dockerfile'],
    message:
      'A credential is baked into the image, so everybody who can pull it has it. Revoke it, and pass the new one when the container starts, or as a build secret.',
    matches: { docker: 'secret-in-environment' },
    references: ['https://docs.docker.com/build/building/secrets/'],
    examples: {
      bad: [
        'FROM node:24\nENV DB_PASSWORD=rainy-Harbour-4417\nUSER node\n',
        'FROM node:24\nENV A=1 API_KEY="9f2c77aa01be"\nUSER node\n',
        'FROM node:24\nARG NPM_TOKEN=q9Zr44tulip\nUSER node\n',
      ],
      good: [
        'FROM node:24\nENV DB_PASSWORD_FILE=/run/secrets/db1\nUSER node\n',
        'FROM node:24\nARG NPM_TOKEN\nUSER node\n',
        'FROM node:24\nENV DB_PASSWORD=${X}\nUSER node\n',
      ],
    },
  },
];
