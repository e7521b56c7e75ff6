import type { RuleDefinition } from '../rule.js';
import {
  APT_VALUED,
  badLabel,
  bothDownloaders,
  copyTargets,
  invalidParts,
  isUnpinnedInstall,
  leavesCache,
  namesRelease,
} from '../docker-lint.js';
import { dockerCheck, hasOption, packagesOf, runsOf } from '../docker-shell.js';

const LANGUAGES = ['dockerfile'] as const;
const REFERENCES = ['https://docs.docker.com/build/building/best-practices/'];

/** How an image is built: versions, caches, forms that don't do what they look like. */
export const DOCKER_LINT_RULES: readonly RuleDefinition[] = [
  {
    id: 'docker-apt-version',
    class: 'docker-unpinned',
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'Neither the release of the distribution nor the version of the package is named, so a later build gets another one and nobody knows what changed. Name the release in the base image (`-bookworm`), or write `package=version`.',
    matches: {
      file: dockerCheck((file) =>
        runsOf(file)
          .filter(
            ({ instruction, commands }) =>
              !namesRelease(file, instruction.stage) &&
              commands.some(
                (one) =>
                  packagesOf(one, /^apt(-get)?$/, /^install$/, APT_VALUED)?.some(
                    (name) => !/[=$]|\.deb$|^\./.test(name),
                  ) === true,
              ),
          )
          .map(({ instruction }) => instruction),
      ),
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM python:3.12\nRUN apt-get update && apt-get install -y curl\n',
        'FROM python:3.12\nRUN apt-get install -y --no-install-recommends curl=7.1 git\n',
        'FROM ubuntu\nRUN apt install -y python3\n',
      ],
      good: [
        'FROM python:3.12\nRUN apt-get update && apt-get install -y curl=7.88.1\n',
        'FROM python:3.12-bookworm\nRUN apt-get install -y --no-install-recommends curl=7.1 git\n',
        'FROM python:3.12\nRUN apt install -y ./local.deb\n',
      ],
    },
  },
  {
    id: 'docker-language-package-version',
    class: 'docker-unpinned',
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'The version of a package is not named, so a later build gets another one. Pin it, or install from a lock file.',
    matches: {
      file: dockerCheck((file) =>
        runsOf(file)
          .filter(({ commands }) => commands.some(isUnpinnedInstall))
          .map(({ instruction }) => instruction),
      ),
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nRUN pip install flask\n',
        'FROM debian:12.5\nRUN npm install -g express\n',
        'FROM debian:12.5\nRUN apk add --no-cache curl\n',
        'FROM debian:12.5\nRUN gem install bundler\n',
        'FROM debian:12.5\nRUN yum install -y httpd && yum clean all\n',
      ],
      good: [
        'FROM debian:12.5\nRUN pip install flask==3.0.0\n',
        'FROM debian:12.5\nRUN npm install -g express@4.18.2\n',
        'FROM debian:12.5\nRUN apk add --no-cache curl=8.1\n',
        'FROM debian:12.5\nRUN pip install -r requirements.txt\n',
        'FROM debian:12.5\nRUN npm install\n',
        'FROM debian:12.5\nRUN gem install bundler:2.4\n',
      ],
    },
  },
  {
    id: 'docker-package-cache-stays',
    class: 'docker-cleanup',
    severity: 'low',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The cache of the package manager stays in the image and makes it larger for nothing. Turn it off (`--no-cache`, `--no-cache-dir`) or remove it in the same RUN.',
    matches: {
      file: dockerCheck((file) =>
        runsOf(file)
          .filter(
            ({ instruction, script, commands }) =>
              !/--mount=type=cache/.test(instruction.value) && commands.some((one) => leavesCache(one, script, file)),
          )
          .map(({ instruction }) => instruction),
      ),
    },
    fix: {
      description: 'Keep no cache',
      apply: 'no-package-cache',
      safe: 'pip and apk only: a cache makes a later installation faster and changes nothing in what is installed; a build starts without one anyway.',
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nRUN apk add curl=8.1\n',
        'FROM debian:12.5\nRUN pip install flask==3.0.0\n',
        'FROM debian:12.5\nRUN yum install -y httpd-2.4\n',
        'FROM debian:12.5\nRUN dnf install -y httpd-2.4\n',
        'FROM debian:12.5\nRUN zypper install -y httpd=2.4\n',
      ],
      good: [
        'FROM debian:12.5\nRUN apk add --no-cache curl=8.1\n',
        'FROM debian:12.5\nRUN pip install --no-cache-dir flask==3.0.0\n',
        'FROM debian:12.5\nRUN yum install -y httpd-2.4 && yum clean all\n',
        'FROM debian:12.5\nENV PIP_NO_CACHE_DIR=1\nRUN pip install flask==3.0.0\n',
      ],
    },
  },
  {
    id: 'docker-install-asks',
    class: 'docker-interactive',
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message: 'The package manager asks before it installs, and nobody answers in a build, so it fails. Say `-y`.',
    matches: {
      file: dockerCheck((file) =>
        runsOf(file)
          .filter(({ commands }) =>
            commands.some(
              (one) =>
                (packagesOf(one, /^(apt-get|apt|yum|dnf|microdnf)$/, /^(install|groupinstall|localinstall)$/) !==
                  undefined &&
                  !hasOption(one, /^(-\w*y\w*|--yes|--assume-yes|-qq|-q=2|--quiet=2|--assumeyes)$/) &&
                  one.words.filter((word) => /^-q$/.test(word)).length < 2) ||
                (packagesOf(one, /^zypper$/, /^(install|in|update|up|patch|remove|rm|source-install|si)$/) !==
                  undefined &&
                  !hasOption(one, /^(-n|--non-interactive|-y|--no-confirm)$/)),
            ),
          )
          .map(({ instruction }) => instruction),
      ),
    },
    fix: {
      description: 'Say yes',
      apply: 'assume-yes',
      safe: "Nobody answers in a build: where the question is asked the build fails, where it isn't the option does nothing.",
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nRUN apt-get install curl=7\n',
        'FROM debian:12.5\nRUN yum install httpd-2.4 && yum clean all\n',
        'FROM debian:12.5\nRUN dnf install httpd-2.4 && dnf clean all\n',
        'FROM debian:12.5\nRUN zypper install httpd=2.4 && zypper clean\n',
      ],
      good: [
        'FROM debian:12.5\nRUN apt-get install -y curl=7\n',
        'FROM debian:12.5\nRUN yum install -y httpd-2.4 && yum clean all\n',
        'FROM debian:12.5\nRUN apt-get -qq install curl=7\n',
        'FROM debian:12.5\nRUN zypper -n install httpd=2.4 && zypper clean\n',
      ],
    },
  },
  {
    id: 'docker-copy-target',
    class: 'docker-copy',
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Where this COPY puts its files is not what it looks like: several sources want a folder (ending in "/"), a stage can\'t copy from itself, and a relative target depends on the base image. Write an absolute folder or set WORKDIR before.',
    matches: { file: dockerCheck(copyTargets) },
    fix: {
      description: 'Copy into the folder',
      apply: 'folder-target',
      safe: 'Only several sources without a "/" at the end of the target, which no builder accepts: a build that always fails can\'t be relied on.',
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nCOPY a.txt b.txt /dir\n',
        'FROM debian:12.5\nCOPY a.txt b.txt dir\n',
        'FROM debian:12.5\nCOPY a.txt b.txt /dir\n',
        'FROM debian:12.5 AS build\nCOPY --from=build a b\n',
        'FROM scratch\nCOPY a.txt b.txt\n',
        'FROM debian:12.5\nCOPY --from=nothing /a /b\n',
      ],
      good: [
        'FROM debian:12.5\nCOPY a.txt b.txt /dir/\n',
        'FROM debian:12.5 AS build\nFROM debian:12.5\nCOPY --from=build /a /b\n',
        'FROM debian:12.5\nWORKDIR /app\nCOPY a.txt b.txt ./\n',
        'FROM debian:12.5\nCOPY --from=nginx:1.25 /a /b\n',
      ],
    },
  },
  {
    id: 'docker-add-archive',
    class: 'docker-copy',
    severity: 'low',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'COPY puts an archive into the image and RUN unpacks it, so the image holds it twice. ADD unpacks a local archive by itself.',
    matches: {
      file: dockerCheck((file) =>
        file.instructions.filter(
          ({ keyword, value }, i) =>
            keyword === 'COPY' &&
            !/--from/.test(value) &&
            /\.(tar|tgz|tar\.(gz|bz2|xz)|tbz2?|txz)\s/.test(`${value} `) &&
            file.instructions
              .slice(i + 1)
              .some(
                (later) => later.keyword === 'RUN' && /\b(tar\s+(-?\w*x|--extract)|unzip|gunzip)/.test(later.value),
              ),
        ),
      ),
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nCOPY a.tar.gz /opt/\nRUN tar -xzf /opt/a.tar.gz\n',
        'FROM debian:12.5\nCOPY a.tgz /\nRUN cd / && tar xzf a.tgz\n',
        'FROM debian:12.5\nCOPY files/a.tar /x/\nRUN tar -xf /x/a.tar && rm /x/a.tar\n',
      ],
      good: [
        'FROM debian:12.5\nADD a.tar.gz /opt/\n',
        'FROM debian:12.5\nCOPY a.tgz /\n',
        'FROM debian:12.5\nCOPY files/a.txt /x/\nRUN tar -xf /x/a.tar && rm /x/a.tar\n',
      ],
    },
  },
  {
    id: 'docker-workdir-relative',
    class: 'docker-workdir',
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message: 'A relative WORKDIR or a `cd` depends on what stood before it. Write WORKDIR with an absolute path.',
    matches: {
      file: dockerCheck((file) => [
        ...file.instructions.filter(
          ({ keyword, value }) => keyword === 'WORKDIR' && !/^["']?(\/|\$|[A-Za-z]:)/.test(value),
        ),
        ...runsOf(file)
          .filter(({ commands }) => commands[0]?.words[0] === 'cd' && commands.length > 0)
          .map(({ instruction }) => instruction),
      ]),
    },
    fix: {
      description: 'Write the folder in full',
      apply: 'absolute-folder',
      safe: 'It is the folder that the relative one gives, from the WORKDIR before it or the base image\'s documented "/"; where that isn\'t known it is left to people.',
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nWORKDIR app\n',
        'FROM debian:12.5\nWORKDIR ./src/app\n',
        'FROM debian:12.5\nRUN cd /app && make\n',
      ],
      good: [
        'FROM debian:12.5\nWORKDIR /app\n',
        'FROM debian:12.5\nWORKDIR $HOME/app\n',
        'FROM debian:12.5\nWORKDIR /app\nRUN make\n',
      ],
    },
  },
  {
    id: 'docker-command-form',
    class: 'docker-cmd',
    severity: 'low',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The program starts under a shell that keeps signals from it, so the container is killed where it could stop; and of several CMD or ENTRYPOINT only the last counts. Write one, as a list: CMD ["program", "argument"].',
    matches: {
      file: dockerCheck((file) =>
        file.instructions.filter(
          ({ keyword, value, stage }, i) =>
            (keyword === 'CMD' || keyword === 'ENTRYPOINT') &&
            (!/^\s*\[/.test(value) ||
              file.instructions.slice(i + 1).some((later) => later.keyword === keyword && later.stage === stage)),
        ),
      ),
    },
    fix: {
      description: 'Start the program itself',
      apply: 'command-list',
      safe: 'Only plain words, which a shell hands over unchanged, and no ENTRYPOINT, SHELL or second CMD in the file: the same program gets the same arguments, and signals besides.',
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nCMD node a.js\n',
        'FROM debian:12.5\nENTRYPOINT ./run.sh\n',
        'FROM debian:12.5\nCMD ["a"]\nCMD ["b"]\n',
      ],
      good: [
        'FROM debian:12.5\nCMD ["node", "a.js"]\n',
        'FROM debian:12.5\nENTRYPOINT ["./run.sh"]\n',
        'FROM debian:12.5\nCMD ["a"]\nFROM debian:12.5\nCMD ["b"]\n',
      ],
    },
  },
  {
    id: 'docker-command-of-a-machine',
    class: 'docker-cmd',
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'This command is about a machine with a terminal, services or devices, and does nothing useful in a build. Leave it out.',
    matches: {
      file: dockerCheck((file) =>
        runsOf(file)
          .filter(({ commands }) =>
            commands.some(({ words }) =>
              /^(ssh|vim|shutdown|service|ps|free|top|kill|mount|ifconfig|nano|halt|reboot)$/.test(words[0] ?? ''),
            ),
          )
          .map(({ instruction }) => instruction),
      ),
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nRUN service nginx start\n',
        'FROM debian:12.5\nRUN mount -t tmpfs a /b\n',
        'FROM debian:12.5\nRUN ps aux && shutdown now\n',
      ],
      good: [
        'FROM debian:12.5\nRUN nginx -t\n',
        'FROM debian:12.5\nRUN install -d /b\n',
        'FROM debian:12.5\nRUN echo "ps"\n',
      ],
    },
  },
  {
    id: 'docker-pipe-hides-failure',
    class: 'docker-shell',
    severity: 'low',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Only the last command of a pipe decides whether RUN failed, so a failed download goes unseen. Set SHELL ["/bin/bash", "-o", "pipefail", "-c"] before it.',
    matches: {
      file: dockerCheck((file) =>
        runsOf(file)
          .filter(
            ({ instruction, script }) =>
              /[^|>]\|(?![|&])/.test(script.replace(/'[^']*'|"[^"]*"/g, '""')) &&
              !/pipefail/.test(script) &&
              !instruction.value.trimStart().startsWith('[') &&
              !file.instructions.some(
                (other) =>
                  other.keyword === 'SHELL' &&
                  other.stage === instruction.stage &&
                  other.start < instruction.start &&
                  /pipefail|pwsh|powershell|cmd/i.test(other.value),
              ) &&
              !/alpine|busybox/.test(file.stages[instruction.stage]?.base ?? ''),
          )
          .map(({ instruction }) => instruction),
      ),
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nRUN curl -s https://a.example/x | sh\n',
        'FROM debian:12.5\nRUN cat a | wc -l > b\n',
        'FROM debian:12.5\nRUN wget -qO - https://a.example | tar xz\n',
      ],
      good: [
        'FROM debian:12.5\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN curl -s https://a.example/x | sh\n',
        'FROM debian:12.5\nRUN set -o pipefail && cat a | wc -l > b\n',
        'FROM debian:12.5\nRUN a || b\n',
      ],
    },
  },
  {
    id: 'docker-replaces-shell',
    class: 'docker-shell',
    severity: 'low',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The shell of the image is replaced, so scripts of packages run under another one. Use the SHELL instruction.',
    matches: {
      file: dockerCheck((file) =>
        runsOf(file)
          .filter(({ script }) => /\bln\s+(-\S+\s+)*\S+\s+\/bin\/sh\b/.test(script))
          .map(({ instruction }) => instruction),
      ),
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nRUN ln -sf /bin/bash /bin/sh\n',
        'FROM debian:12.5\nRUN ln -s /bin/bash /bin/sh\n',
        'FROM debian:12.5\nRUN rm /bin/sh && ln -sfv bash /bin/sh\n',
      ],
      good: [
        'FROM debian:12.5\nSHELL ["/bin/bash", "-c"]\n',
        'FROM debian:12.5\nRUN ln -sf /bin/bash /usr/local/bin/sh2\n',
        'FROM debian:12.5\nRUN ln -s /a /b\n',
      ],
    },
  },
  {
    id: 'docker-label-form',
    class: 'docker-label',
    severity: 'info',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'A label that tools cannot read: MAINTAINER is deprecated, keys are lower-case words with dots and dashes, and a value is not empty. Write LABEL org.opencontainers.image.authors="...".',
    matches: {
      file: dockerCheck((file) =>
        file.instructions.filter(
          ({ keyword, value }) => keyword === 'MAINTAINER' || (keyword === 'LABEL' && badLabel(value)),
        ),
      ),
    },
    fix: {
      description: 'Name the authors in a label',
      apply: 'authors-label',
      safe: 'Only MAINTAINER, which sets a field that is deprecated since 2017 and no program reads to build or run; the label has the same text.',
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nMAINTAINER a@example.org\n',
        'FROM debian:12.5\nLABEL Wrong_Key="a"\n',
        'FROM debian:12.5\nLABEL org.opencontainers.image.url=""\n',
      ],
      good: [
        'FROM debian:12.5\nLABEL org.opencontainers.image.authors="a@example.org"\n',
        'FROM debian:12.5\nLABEL right-key="a"\n',
        'FROM debian:12.5\nLABEL org.opencontainers.image.url="https://a.example"\n',
      ],
    },
  },
  {
    id: 'docker-upgrades-everything',
    class: 'docker-pkg',
    severity: 'low',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The whole system is upgraded, so a build gives another image each day, and packages that the base image owns may break. Take a newer base image.',
    matches: {
      file: dockerCheck((file) =>
        runsOf(file)
          .filter(({ commands }) =>
            commands.some(
              ({ words }) =>
                /^(apt-get|apt|apk|yum|dnf|zypper)$/.test(words[0] ?? '') &&
                words.some(
                  (word) =>
                    /^(dist-upgrade|upgrade|full-upgrade)$/.test(word) ||
                    (/^(yum|dnf|zypper)$/.test(words[0] ?? '') && /^(update|dup)$/.test(word)),
                ),
            ),
          )
          .map(({ instruction }) => instruction),
      ),
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nRUN apt-get update && apt-get dist-upgrade -y\n',
        'FROM debian:12.5\nRUN apk upgrade --no-cache\n',
        'FROM debian:12.5\nRUN yum -y update && yum clean all\n',
      ],
      good: [
        'FROM debian:12.5\nRUN apt-get update\n',
        'FROM debian:12.5\nRUN apk update\n',
        'FROM debian:12.5\nRUN yum -y install httpd-2.4 && yum clean all\n',
      ],
    },
  },
  {
    id: 'docker-certificates-off',
    class: 'tls-verify-off',
    cwe: 295,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'This download takes whoever answers for the right one, so somebody between can put what they like into the image. Install ca-certificates, and leave the check on.',
    matches: {
      file: dockerCheck((file) =>
        runsOf(file)
          .filter(({ commands }) =>
            commands.some(
              (one) =>
                (one.words[0] === 'curl' && hasOption(one, /^(-[a-zA-Z]*k[a-zA-Z]*|--insecure)$/)) ||
                (one.words[0] === 'wget' && hasOption(one, /^--no-check-certificate$/)),
            ),
          )
          .map(({ instruction }) => instruction),
      ),
    },
    references: ['https://cwe.mitre.org/data/definitions/295.html'],
    examples: {
      bad: [
        'FROM debian:12\nRUN curl -k https://a.example/x -o x\n',
        'FROM debian:12\nRUN curl -sSLk https://a.example/x -o x && chmod 755 x\n',
        'FROM debian:12\nRUN wget --no-check-certificate https://a.example/x\n',
      ],
      good: [
        'FROM debian:12\nRUN curl -fsSL https://a.example/x -o x\n',
        'FROM debian:12\nRUN curl --key k.pem https://a.example/x -o x\n',
        'FROM debian:12\nRUN wget -q https://a.example/x\n',
      ],
    },
  },
  {
    id: 'docker-file-for-all',
    class: 'file-permissions',
    cwe: 732,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Everybody in the container may write here, so a program that was taken over changes what others run. Give the files to the user that needs them (COPY --chown), or let the group write.',
    matches: {
      file: dockerCheck((file) =>
        runsOf(file)
          .filter(({ commands }) =>
            commands.some(
              (one) => one.words[0] === 'chmod' && hasOption(one, /^(0?[0-7]{2}[2367]|[ugo]*[ao][ugo]*\+[rx]*w[rx]*)$/),
            ),
          )
          .map(({ instruction }) => instruction),
      ),
    },
    references: ['https://cwe.mitre.org/data/definitions/732.html'],
    examples: {
      bad: [
        'FROM debian:12\nRUN chmod -R 777 /srv\n',
        'FROM debian:12\nRUN mkdir /srv/a && chmod 0666 /srv/a/b\n',
        'FROM debian:12\nRUN chmod a+rw /srv/a\n',
      ],
      good: [
        'FROM debian:12\nRUN chmod -R 775 /srv\n',
        'FROM debian:12\nRUN mkdir /srv/a && chmod 0644 /srv/a/b\n',
        'FROM debian:12\nRUN chmod g+w /srv/a\n',
      ],
    },
  },
  {
    id: 'docker-package-tool',
    class: 'docker-pkg',
    severity: 'info',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'apt is for terminals and changes how it is used; two programs for downloads are one too many; wget fills the log unless told not to. Use apt-get, one of curl and wget, and `wget --progress=dot:giga`.',
    matches: {
      file: dockerCheck((file) => [
        ...runsOf(file)
          .filter(({ commands }) =>
            commands.some(
              (one) =>
                one.words[0] === 'apt' ||
                (one.words[0] === 'wget' &&
                  !hasOption(one, /^(-\w*q\S*|--quiet|-nv|--no-verbose|--progress.*|-\w*[oO]\S*|--output-file.*)$/)),
            ),
          )
          .map(({ instruction }) => instruction),
        ...bothDownloaders(file),
      ]),
    },
    fix: {
      description: 'Use apt-get',
      apply: 'apt-get',
      safe: 'Only verbs that both programs have with the same meaning.',
    },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nRUN apt install -y curl=7\n',
        'FROM debian:12.5\nRUN wget https://a.example/x\n',
        'FROM debian:12.5\nRUN curl -O https://a.example/x\nRUN wget -q https://a.example/y\n',
      ],
      good: [
        'FROM debian:12.5\nRUN apt-get install -y curl=7\n',
        'FROM debian:12.5\nRUN wget -q https://a.example/x\n',
        'FROM debian:12.5\nRUN curl -O https://a.example/x\nRUN curl -O https://a.example/y\n',
      ],
    },
  },
  {
    id: 'docker-not-valid',
    class: 'docker-invalid',
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'This cannot be built, or does not do what it says: a port out of range, a name of a stage that is taken, an unknown instruction, a second HEALTHCHECK, a fixed platform, FROM inside ONBUILD, an ENV that refers to itself.',
    matches: { file: ({ text }) => invalidParts(text) },
    references: REFERENCES,
    examples: {
      bad: [
        'FROM debian:12.5\nEXPOSE 99999\n',
        'FROM a:1 AS x\nFROM b:1 AS x\n',
        'FROM debian:12.5\nHEALTHCHECK CMD a\nHEALTHCHECK CMD b\n',
        'FROM debian:12.5\nONBUILD FROM debian:12\n',
        'FROM --platform=linux/amd64 debian:12.5\n',
        'FROM debian:12.5\nENV A=1 B=$A\n',
      ],
      good: [
        'FROM debian:12.5\nEXPOSE 8080\n',
        'FROM a:1 AS x\nFROM b:1 AS y\n',
        'FROM debian:12.5\nHEALTHCHECK CMD a\n',
        'FROM debian:12.5\nONBUILD RUN make\n',
        'FROM --platform=$BUILDPLATFORM debian:12.5\n',
        'FROM debian:12.5\nENV A=1\nENV B=$A\n',
      ],
    },
  },
];
