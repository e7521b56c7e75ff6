/** Software bill of materials of each image's packages: CycloneDX as JSON, in this version of it. Debian's are told by the attestation of the builder. */
export const SBOM_VERSION = '1.6';

/** Its name in the folder that `sbomArguments` was given. */
export const sbomFile = (service: string): string => `devmesh-${service}.cdx.json`;

/** What pnpm is called with to write one of each service into a folder: what it needs to run, and nothing else. */
export const sbomArguments = (folder: string): string[] => [
  'sbom',
  '--sbom-format',
  'cyclonedx',
  '--sbom-spec-version',
  SBOM_VERSION,
  '--sbom-type',
  'application',
  '--prod',
  '--split',
  '--filter-prod',
  '{./apps/*}',
  '--filter-prod',
  '!@devmesh/cli',
  '--out',
  `${folder}/%s.cdx.json`,
];
