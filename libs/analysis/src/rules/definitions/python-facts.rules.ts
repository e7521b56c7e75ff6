import type { CallFacts } from '../../flow/engine.js';
import type { Expr, Module, Stmt } from '../../flow/ir.js';
import { pathOf } from '../../flow/places.js';
import { isHarmless, type Value } from '../../flow/value.js';
import { argument } from '../flow-match.js';
import { isSlowPattern } from '../slow-pattern.js';
import { comparesSecret, isPointless, namesCredential } from '../javascript-forms.js';
import { below, isChecksum, isPlainAddress, isOwnSecret, listHas } from '../javascript-facts.js';
import {
  guardsAccess,
  guardsValue,
  isOpenMode,
  isToldByName,
  lacksCookieFlags,
  literalPassword,
  marksUnescaped,
  returnsError,
  swallows,
} from '../python-facts.js';
import type { RuleDefinition } from '../rule.js';

const LANGUAGES = ['python'] as const;

/** Settings and forms that are wrong whatever data comes, in Python. */
export const PYTHON_FACT_RULES: readonly RuleDefinition[] = [
  {
    id: 'py-shell-used',
    class: 'command-injection',
    cwe: 78,
    severity: 'low',
    confidence: 'low',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'A shell reads this command line, and not all of it is constant. With a list and without a shell nothing in it can be taken for another command.',
    matches: {
      flow: [
        {
          calls: 'subprocess.run subprocess.call subprocess.Popen subprocess.check_output subprocess.check_call',
          when: (call: CallFacts) =>
            argument(call, 'shell')?.constant === true && !isHarmless(argument(call, 0, 'args') ?? {}),
        },
        {
          calls:
            'os.system os.popen os.popen2 os.popen3 popen2.popen2 popen2.Popen3 commands.getoutput commands.getstatusoutput subprocess.getoutput subprocess.getstatusoutput',
          when: (call: CallFacts) => !isHarmless(call.args[0] ?? {}),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/78.html'],
    examples: {
      bad: [
        'import subprocess\ndef f(cmd):\n    subprocess.run(cmd, shell=True)\n',
        "import os\ndef f(name):\n    os.system('make ' + name)\n",
        'from subprocess import Popen\ndef f(cmd):\n    return Popen(cmd, shell=True)\n',
      ],
      good: [
        "import subprocess\ndef f(cmd):\n    subprocess.run([cmd, '-l'])\n",
        "import os\ndef f(name):\n    os.system('make all')\n",
        'from subprocess import Popen\ndef f(cmd):\n    return Popen(cmd, shell=False)\n',
      ],
    },
  },
  {
    id: 'py-code-run',
    class: 'code-injection',
    cwe: 95,
    severity: 'medium',
    confidence: 'low',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'Text is run as code. Who can change the text does what they like; parse it as data (ast.literal_eval, json) where it is data.',
    matches: {
      flow: [
        {
          calls: 'eval exec execfile',
          when: (call: CallFacts) => call.args[0]?.constant === undefined && call.args[0]?.ref !== 'compile()',
        },
        { calls: 'exec eval', when: (call: CallFacts) => typeof call.args[0]?.constant === 'string' },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/95.html'],
    examples: {
      bad: ['def f(text):\n    return eval(text)\n', "exec(open('a.py').read())\n", "exec('do_it()')\n"],
      good: [
        'import ast\ndef f(text):\n    return ast.literal_eval(text)\n',
        "print(open('a.py').read())\n",
        "class A:\n    def run(self):\n        self.exec('do_it()')\n",
      ],
    },
  },
  {
    id: 'py-unsafe-load',
    class: 'deserialization',
    cwe: 502,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'What is loaded here can run code while it is turned into objects. Use json, or a signed format, where others can write it.',
    matches: {
      flow: [
        {
          // A file that is named here came with the program.
          calls: 'joblib.load pandas.read_pickle shelve.open',
          when: (call: CallFacts) => typeof call.args[0]?.constant !== 'string',
        },
        {
          calls:
            'pickle.load pickle.loads pickle.Unpickler cPickle.load cPickle.loads _pickle.loads dill.load dill.loads jsonpickle.decode marshal.load marshal.loads cloudpickle.load cloudpickle.loads',
          // What this program has just written itself is no one else's.
          when: ({ node: { args } }: CallFacts) =>
            !(args[0]?.value.k === 'call' && /(^|\.)dumps$/.test(pathOf(args[0].value.callee) ?? '')),
        },
        { calls: 'yaml.unsafe_load yaml.unsafe_load_all yaml.full_load', when: () => true },
        { calls: 'torch.load', when: (call: CallFacts) => argument(call, 'weights_only')?.constant !== true },
        { calls: 'numpy.load', when: (call: CallFacts) => argument(call, 'allow_pickle')?.constant === true },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/502.html'],
    examples: {
      bad: [
        "import pickle\ndef f(p):\n    with open(p, 'rb') as h:\n        return pickle.load(h)\n",
        'import yaml\ndef f(t):\n    return yaml.unsafe_load(t)\n',
        'import numpy as np\ndef f(p):\n    return np.load(p, allow_pickle=True)\n',
      ],
      good: [
        "import json\ndef f(p):\n    with open(p, 'rb') as h:\n        return json.load(h)\n",
        'import pickle\ndef f(x):\n    return pickle.loads(pickle.dumps(x))\n',
        'import yaml\ndef f(t):\n    return yaml.safe_load(t)\n',
        'import numpy as np\ndef f(p):\n    return np.load(p)\n',
      ],
    },
  },
  {
    id: 'py-xml-unsafe',
    class: 'xxe',
    cwe: 611,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'The XML parser may resolve entities, so a document can read files of this machine, reach its network, or fill its memory. Use defusedxml, or turn entities off.',
    matches: {
      flow: [
        {
          calls: 'lxml.etree.XMLParser',
          when: (call: CallFacts) =>
            argument(call, 'resolve_entities')?.constant === true ||
            (argument(call, 'resolve_entities') === undefined && !call.open) ||
            argument(call, 'no_network')?.constant === false,
        },
        {
          calls:
            'xml.sax.parse xml.sax.parseString xml.sax.make_parser xml.sax.expatreader.create_parser xml.dom.minidom.parse xml.dom.minidom.parseString xml.dom.pulldom.parse xml.dom.pulldom.parseString xml.dom.expatbuilder.parse xml.dom.expatbuilder.parseString xml.etree.ElementTree.parse xml.etree.ElementTree.fromstring xml.etree.ElementTree.iterparse xml.etree.ElementTree.XMLParser xml.etree.cElementTree.parse xml.etree.cElementTree.fromstring xml.etree.cElementTree.iterparse xml.etree.cElementTree.XMLParser',
          // A parser that is handed over was looked at where it was made.
          when: (call: CallFacts) =>
            !/defusedxml|external_ges\s*,\s*(False|0)\b/.test(call.frame.module.text) &&
            call.args[0]?.constant === undefined &&
            !call.named.has('parser'),
        },
        {
          calls: 'lxml.etree.parse lxml.etree.fromstring lxml.etree.XML lxml.etree.iterparse',
          when: (call: CallFacts) =>
            call.args.length === 1 &&
            argument(call, 'parser') === undefined &&
            call.args[0]?.constant === undefined &&
            (call.ref !== 'lxml.etree.iterparse' || argument(call, 'resolve_entities')?.constant !== false),
        },
        {
          calls: '*.setFeature',
          when: (call: CallFacts) =>
            /external_ges|external_pes/.test(call.args[0]?.ref ?? String(call.args[0]?.constant ?? '')) &&
            (call.args[1]?.constant === true || call.args[1]?.constant === 1),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/611.html'],
    examples: {
      bad: [
        'from lxml import etree\np = etree.XMLParser(resolve_entities=True)\n',
        'import xml.sax\ndef f(t, h):\n    xml.sax.parseString(t, h)\n',
        'from xml.dom import minidom\ndef f(p):\n    return minidom.parse(p)\n',
      ],
      good: [
        'from lxml import etree\np = etree.XMLParser(resolve_entities=False)\n',
        'import defusedxml.sax\ndef f(t, h):\n    defusedxml.sax.parseString(t, h)\n',
        'from defusedxml import minidom\ndef f(p):\n    return minidom.parse(p)\n',
      ],
    },
  },
  {
    id: 'py-weak-cipher',
    class: 'weak-crypto',
    cwe: 327,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'This cipher or mode is broken or shows patterns of what it hides (DES, RC4, Blowfish, ECB). Use AES-GCM or ChaCha20-Poly1305 with a new nonce for each message.',
    matches: {
      flow: [
        {
          calls:
            'Crypto.Cipher.DES.new Crypto.Cipher.DES3.new Crypto.Cipher.ARC2.new Crypto.Cipher.ARC4.new Crypto.Cipher.Blowfish.new Crypto.Cipher.XOR.new Crypto.Cipher.CAST.new Cryptodome.Cipher.DES.new Cryptodome.Cipher.DES3.new Cryptodome.Cipher.ARC2.new Cryptodome.Cipher.ARC4.new Cryptodome.Cipher.Blowfish.new Cryptodome.Cipher.XOR.new Cryptodome.Cipher.CAST.new pyDes.des pyDes.triple_des',
          when: () => true,
        },
        {
          calls: 'Crypto.Cipher.AES.new Cryptodome.Cipher.AES.new',
          when: (call: CallFacts) =>
            /MODE_ECB/.test(argument(call, 1, 'mode')?.ref ?? '') || argument(call, 1, 'mode')?.constant === 1,
        },
        {
          calls:
            'cryptography.hazmat.primitives.ciphers.algorithms.ARC4 cryptography.hazmat.primitives.ciphers.algorithms.Blowfish cryptography.hazmat.primitives.ciphers.algorithms.IDEA cryptography.hazmat.primitives.ciphers.algorithms.CAST5 cryptography.hazmat.primitives.ciphers.algorithms.SEED cryptography.hazmat.primitives.ciphers.algorithms.TripleDES cryptography.hazmat.decrepit.ciphers.algorithms.ARC4 cryptography.hazmat.primitives.ciphers.modes.ECB',
          when: () => true,
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/327.html'],
    examples: {
      bad: [
        'from Crypto.Cipher import DES\nc = DES.new(key)\n',
        'from Crypto.Cipher import AES\nc = AES.new(key, AES.MODE_ECB)\n',
        'from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes\nc = Cipher(algorithms.AES(key), modes.ECB())\n',
      ],
      good: [
        'from Crypto.Cipher import AES\nc = AES.new(key, AES.MODE_GCM)\n',
        'from Crypto.Cipher import AES\nc = AES.new(key, AES.MODE_EAX)\n',
        'from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes\nc = Cipher(algorithms.AES(key), modes.GCM(nonce))\n',
      ],
    },
  },
  {
    id: 'py-weak-digest',
    class: 'weak-crypto',
    cwe: 328,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'MD5, SHA-1 and older digests can be forged: two files or messages with one digest are made in minutes. Use sha256 or better; where nothing hangs on it say usedforsecurity=False.',
    matches: {
      flow: [
        {
          calls:
            'hashlib.md5 hashlib.sha1 hashlib.md4 Crypto.Hash.MD5.new Crypto.Hash.MD2.new Crypto.Hash.MD4.new Crypto.Hash.SHA.new Crypto.Hash.SHA1.new Cryptodome.Hash.MD5.new Cryptodome.Hash.MD2.new Cryptodome.Hash.MD4.new Cryptodome.Hash.SHA.new cryptography.hazmat.primitives.hashes.MD5 cryptography.hazmat.primitives.hashes.SHA1 md5.new sha.new crypt.crypt passlib.hash.md5_crypt.hash passlib.hash.des_crypt.hash',
          when: (call: CallFacts) => argument(call, 'usedforsecurity')?.constant !== false && !isChecksum(call),
        },
        {
          calls: 'hashlib.new',
          when: (call: CallFacts) =>
            /^(md4|md5|sha|sha1|ripemd160)$/i.test(String(argument(call, 0, 'name')?.constant ?? '')) &&
            argument(call, 'usedforsecurity')?.constant !== false &&
            !isChecksum(call),
        },
        {
          calls: 'hmac.new',
          when: (call: CallFacts) =>
            /md5|sha1/i.test(
              argument(call, 2, 'digestmod')?.ref ?? String(argument(call, 2, 'digestmod')?.constant ?? ''),
            ),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/328.html'],
    examples: {
      bad: [
        'import hashlib\ndef f(x):\n    return hashlib.md5(x).hexdigest()\n',
        "import hashlib\nNAME = 'sha1'\ndef f(x):\n    return hashlib.new(NAME, x)\n",
        'from Crypto.Hash import MD5\nh = MD5.new()\n',
      ],
      good: [
        'import hashlib\ndef f(x):\n    return hashlib.sha256(x).hexdigest()\n',
        "import hashlib\nNAME = 'sha512'\ndef f(x):\n    return hashlib.new(NAME, x)\n",
        'import hashlib\ndef f(x):\n    return hashlib.md5(x, usedforsecurity=False)\n',
      ],
    },
  },
  {
    id: 'py-weak-key',
    class: 'weak-crypto',
    cwe: 326,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The key or the work for a password is too small: such keys are broken, and passwords tried by the billion. RSA takes 2048 bits or more, curves 256; PBKDF2 some 600000 rounds.',
    matches: {
      flow: [
        {
          calls:
            'cryptography.hazmat.primitives.asymmetric.rsa.generate_private_key cryptography.hazmat.primitives.asymmetric.dsa.generate_private_key',
          when: (call: CallFacts) =>
            below(argument(call, 'key_size'), 2048) || below(call.args[call.ref.includes('rsa') ? 1 : 0], 2048),
        },
        {
          calls:
            'Crypto.PublicKey.RSA.generate Crypto.PublicKey.DSA.generate Cryptodome.PublicKey.RSA.generate Cryptodome.PublicKey.DSA.generate rsa.newkeys',
          when: (call: CallFacts) => below(argument(call, 0, 'bits'), 2048),
        },
        {
          calls: 'cryptography.hazmat.primitives.asymmetric.ec.generate_private_key',
          when: (call: CallFacts) => /SECP192R1|SECT163|SECT233|SECP224/.test(argument(call, 0, 'curve')?.ref ?? ''),
        },
        {
          calls: 'hashlib.pbkdf2_hmac',
          when: (call: CallFacts) =>
            below(argument(call, 3, 'iterations'), 10_000) || /^(md5)$/.test(String(call.args[0]?.constant ?? '')),
        },
        { calls: 'bcrypt.gensalt', when: (call: CallFacts) => below(argument(call, 0, 'rounds'), 10) },
      ],
    },
    fix: {
      description: 'Make a key of 2048 bits',
      apply: 'long-key',
      safe: 'Only where a new key is made: keys that exist are read as before, and every program that takes 1024 bits takes 2048.',
    },
    references: ['https://cwe.mitre.org/data/definitions/326.html'],
    examples: {
      bad: [
        'from cryptography.hazmat.primitives.asymmetric import rsa\nk = rsa.generate_private_key(public_exponent=65537, key_size=1024)\n',
        'from Crypto.PublicKey import RSA\nBITS = 1024\nk = RSA.generate(BITS)\n',
        "import hashlib\nk = hashlib.pbkdf2_hmac('sha256', p, s, 1000)\n",
      ],
      good: [
        'from cryptography.hazmat.primitives.asymmetric import rsa\nk = rsa.generate_private_key(public_exponent=65537, key_size=3072)\n',
        'from Crypto.PublicKey import RSA\nBITS = 4096\nk = RSA.generate(BITS)\n',
        "import hashlib\nk = hashlib.pbkdf2_hmac('sha256', p, s, 600000)\n",
      ],
    },
  },
  {
    id: 'py-fixed-nonce',
    class: 'weak-crypto',
    cwe: 329,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The nonce or salt is always the same, so equal messages look equal, and one table cracks all passwords. Make a new one with os.urandom and keep it beside the result.',
    matches: {
      flow: [
        {
          calls: 'Crypto.Cipher.AES.new Cryptodome.Cipher.AES.new',
          when: (call: CallFacts) => typeof argument(call, 2, 'iv', 'nonce')?.constant === 'string',
        },
        {
          calls:
            'cryptography.hazmat.primitives.ciphers.modes.CBC cryptography.hazmat.primitives.ciphers.modes.GCM cryptography.hazmat.primitives.ciphers.modes.CTR cryptography.hazmat.primitives.ciphers.modes.CFB cryptography.hazmat.primitives.ciphers.modes.OFB',
          when: (call: CallFacts) => typeof call.args[0]?.constant === 'string',
        },
        {
          calls: 'hashlib.pbkdf2_hmac hashlib.scrypt',
          when: (call: CallFacts) => typeof argument(call, 2, 'salt')?.constant === 'string',
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/329.html'],
    examples: {
      bad: [
        "from Crypto.Cipher import AES\nc = AES.new(key, AES.MODE_CBC, b'0123456789abcdef')\n",
        "import hashlib\nSALT = b'salt'\nk = hashlib.pbkdf2_hmac('sha256', p, SALT, 600000)\n",
        "from cryptography.hazmat.primitives.ciphers import modes\nm = modes.CBC(b'0000000000000000')\n",
      ],
      good: [
        'from Crypto.Cipher import AES\nimport os\nc = AES.new(key, AES.MODE_CBC, os.urandom(16))\n',
        "import hashlib, os\nSALT = os.urandom(16)\nk = hashlib.pbkdf2_hmac('sha256', p, SALT, 600000)\n",
        'from cryptography.hazmat.primitives.ciphers import modes\nm = modes.CBC(iv)\n',
      ],
    },
  },
  {
    id: 'py-guessable-value',
    class: 'insecure-random',
    cwe: 330,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'The random module can be predicted from its results. Where the value must not be guessed, make it with the secrets module.',
    matches: {
      flow: [
        {
          calls:
            'random.random random.randrange random.randint random.choice random.choices random.uniform random.triangular random.randbytes random.getrandbits random.sample',
          when: (call: CallFacts) => guardsValue(call),
        },
      ],
    },
    fix: {
      description: "Take the value from the system's generator",
      apply: 'system-random',
      safe: "random.SystemRandom has the same functions with the same results' types and distribution; only which value comes differs. A file that calls seed() may rely on that and is left to people.",
    },
    references: ['https://cwe.mitre.org/data/definitions/330.html'],
    examples: {
      bad: [
        'import random\npassword_seed = random.triangular(0, 1)\n',
        "import random\ndef make_token():\n    return ''.join(random.choice('abc') for _ in range(8))\n",
        'import random\notp = random.randint(1000, 9999)\n',
        'import random\ndef f():\n    secret_key = random.getrandbits(128)\n    return secret_key\n',
      ],
      good: [
        "import secrets\ndef make_token():\n    return ''.join(secrets.choice('abc') for _ in range(8))\n",
        'import random\ndelay = random.randint(1000, 9999)\n',
        'import random\ndef f():\n    noise = random.getrandbits(128)\n    return noise\n',
      ],
    },
  },
  {
    id: 'py-tls-unchecked',
    class: 'tls-verify-off',
    cwe: 295,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The certificate or the key of the other side is not checked, so anybody on the way can read and change what is sent. Leave checking on.',
    matches: {
      flow: [
        {
          calls:
            '*.get *.post *.put *.patch *.delete *.head *.options *.request *.Client *.AsyncClient *.stream *.Session',
          when: (call: CallFacts) =>
            argument(call, 'verify')?.constant === false && /requests|httpx|session|client|hvac|self/i.test(call.ref),
        },
        { assigns: '*.verify', when: (value: Value) => value.constant === false },
        { assigns: '*.verify_mode', when: (value: Value) => /CERT_NONE$/.test(value.ref ?? '') },
        { assigns: '*.check_hostname', when: (value: Value) => value.constant === false },
        {
          assigns: 'ssl._create_default_https_context',
          when: (value: Value) => /_create_unverified_context/.test(value.ref ?? ''),
        },
        { calls: 'ssl._create_unverified_context ssl._create_stdlib_context', when: () => true },
        {
          calls: '*.set_missing_host_key_policy',
          when: (call: CallFacts) => /AutoAddPolicy|WarningPolicy/.test(call.args[0]?.ref ?? ''),
        },
        {
          calls: 'aiohttp.TCPConnector aiohttp.ClientSession().get',
          when: (call: CallFacts) => argument(call, 'ssl', 'verify_ssl')?.constant === false,
        },
        {
          calls: 'urllib3.PoolManager urllib3.HTTPSConnectionPool',
          when: (call: CallFacts) =>
            /NONE/.test(String(argument(call, 'cert_reqs')?.constant ?? argument(call, 'cert_reqs')?.ref ?? '')),
        },
      ],
    },
    fix: {
      description: 'Check the certificate',
      apply: 'tls-checked',
      safe: 'A connection to who it should be to works as before; one that anybody can pose as is refused, with an error that names the certificate (a private authority is then named, as the message says). Files with contexts of servers, and keys of SSH hosts, are left to people.',
    },
    references: ['https://cwe.mitre.org/data/definitions/295.html'],
    examples: {
      bad: [
        "import requests\nrequests.get('https://a.example', verify=False)\n",
        'import paramiko\nc = paramiko.SSHClient()\nc.set_missing_host_key_policy(paramiko.AutoAddPolicy())\n',
        'import ssl\nctx = ssl.create_default_context()\nctx.check_hostname = False\n',
      ],
      good: [
        "import requests\nrequests.get('https://a.example', verify='/ca.pem')\n",
        'import paramiko\nc = paramiko.SSHClient()\nc.set_missing_host_key_policy(paramiko.RejectPolicy())\n',
        'import ssl\nctx = ssl.create_default_context()\nctx.check_hostname = True\n',
      ],
    },
  },
  {
    id: 'py-tls-old',
    class: 'weak-crypto',
    cwe: 327,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'This version of SSL or TLS is broken: who sits on the way can read what is sent. Use ssl.create_default_context, or PROTOCOL_TLS_CLIENT with TLS 1.2 or newer.',
    matches: {
      flow: [
        {
          calls: 'ssl.SSLContext ssl.wrap_socket OpenSSL.SSL.Context pyOpenSSL.SSL.Context',
          when: (call: CallFacts) =>
            /(PROTOCOL_)?(SSLv2|SSLv3|SSLv23|TLSv1|TLSv1_1)(_METHOD)?$/.test(
              argument(call, 0, 'ssl_version', 'protocol', 'method')?.ref ?? '',
            ) ||
            /(PROTOCOL_)?(SSLv2|SSLv3|SSLv23|TLSv1|TLSv1_1)(_METHOD)?$/.test(
              argument(call, 'ssl_version', 'method')?.ref ?? '',
            ) ||
            (call.ref === 'ssl.wrap_socket' && argument(call, 'ssl_version') === undefined),
        },
        {
          assigns: '*.minimum_version *.maximum_version',
          when: (value: Value) => /(SSLv3|TLSv1|TLSv1_1)$/.test(value.ref ?? ''),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/327.html'],
    examples: {
      bad: [
        'import ssl\nc = ssl.SSLContext(ssl.PROTOCOL_TLSv1)\n',
        'import ssl\ns = ssl.wrap_socket(sock, ssl_version=ssl.PROTOCOL_SSLv3)\n',
        'import ssl\nc = ssl.create_default_context()\nc.minimum_version = ssl.TLSVersion.TLSv1\n',
      ],
      good: [
        'import ssl\nc = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\n',
        'import ssl\ns = ctx.wrap_socket(sock)\n',
        'import ssl\nc = ssl.create_default_context()\nc.minimum_version = ssl.TLSVersion.TLSv1_2\n',
      ],
    },
  },
  {
    id: 'py-cleartext',
    class: 'cleartext',
    cwe: 319,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message: 'What is sent here travels unencrypted, passwords too. Use https, SFTP or SSH, or the variant with TLS.',
    matches: {
      flow: [
        { calls: 'telnetlib.Telnet ftplib.FTP', when: () => true },
        {
          calls:
            'requests.get requests.post requests.put requests.delete urllib.request.urlopen httpx.get httpx.post urllib.request.Request',
          when: (call: CallFacts) => isPlainAddress(argument(call, 0, 'url')),
        },
        {
          calls: 'smtplib.SMTP',
          when: (call: CallFacts) =>
            /\.login\(/.test(call.frame.module.text) && !/starttls/.test(call.frame.module.text),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/319.html'],
    examples: {
      bad: [
        "import telnetlib\nt = telnetlib.Telnet('a')\n",
        "from ftplib import FTP\nf = FTP('ftp.shop.com')\n",
        "import requests\nBASE = 'http://api.shop.com'\nrequests.get(BASE + '/x')\n",
      ],
      good: [
        'import paramiko\nt = paramiko.SSHClient()\n',
        "from ftplib import FTP_TLS\nf = FTP_TLS('ftp.shop.com')\n",
        "import requests\nBASE = 'http://localhost:80'\nrequests.get(BASE + '/x')\n",
      ],
    },
  },
  {
    id: 'py-jwt-unverified',
    class: 'jwt-misuse',
    cwe: 347,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'The signature of this token is not checked, or "none" counts as one, so anybody can write a token that says what they like. Call decode with a key and a fixed list of algorithms.',
    matches: {
      flow: [
        {
          calls: 'jwt.decode jose.jwt.decode authlib.jose.jwt.decode',
          when: (call: CallFacts) =>
            argument(call, 'verify')?.constant === false ||
            argument(call, 'options')?.fields?.get('verify_signature')?.constant === false ||
            call.args[2]?.constant === false ||
            listHas(argument(call, 'algorithms', 2), /^none$/i),
        },
        {
          calls: 'jwt.encode jose.jwt.encode',
          when: (call: CallFacts) =>
            /^none$/i.test(String(argument(call, 2, 'algorithm')?.constant ?? '')) ||
            argument(call, 2, 'algorithm')?.constant === null,
        },
        {
          calls: 'jose.jwt.get_unverified_claims jwt.get_unverified_claims jose.jws.get_unverified_claims',
          when: () => true,
        },
      ],
    },
    fix: {
      description: 'Refuse tokens without a signature',
      apply: 'algorithms-without-none',
      safe: 'Only "none" goes from a list that has other algorithms: every token with a signature is judged as before, and nobody may rely on one without.',
    },
    references: ['https://cwe.mitre.org/data/definitions/347.html'],
    examples: {
      bad: [
        "import jwt\nd = jwt.decode(t, options={'verify_signature': False})\n",
        "import jwt\nd = jwt.decode(t, key, algorithms=['none', 'HS256'])\n",
        "import jwt\nt = jwt.encode({'a': 1}, None, algorithm='none')\n",
      ],
      good: [
        "import jwt\nd = jwt.decode(t, key, algorithms=['HS256'])\n",
        "import jwt\nd = jwt.decode(t, key, algorithms=['RS256'], options={'verify_exp': True})\n",
        "import jwt\nt = jwt.encode({'a': 1}, key, algorithm='HS256')\n",
      ],
    },
  },
  {
    id: 'py-literal-key',
    class: 'hardcoded-secret',
    cwe: 798,
    severity: 'high',
    confidence: 'high',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'A key or a password stands in the source, so everybody who sees the repository has it, for as long as its history lives. Revoke it, and read the new one from the environment or a secret store.',
    matches: {
      flow: [
        {
          calls:
            'jwt.encode jwt.decode jose.jwt.encode hmac.new cryptography.fernet.Fernet Crypto.Cipher.AES.new itsdangerous.URLSafeTimedSerializer itsdangerous.URLSafeSerializer itsdangerous.Signer',
          when: (call: CallFacts) =>
            isOwnSecret(call, argument(call, 'key', 'secret_key')) ||
            (isOwnSecret(call, call.args[/jwt\./.test(call.ref) ? 1 : 0]) && !/\.decode$/.test(call.ref)) ||
            (/\.decode$/.test(call.ref) && isOwnSecret(call, call.args[1])),
        },
        {
          calls:
            '*.connect *.login *.Connection *.create_connection *.auth *.authenticate *.MongoClient *.Redis *.StrictRedis *.Client *.HTTPBasicAuth *.ConnectionPool',
          when: (call: CallFacts) =>
            ['password', 'passwd', 'pwd', 'passphrase', 'api_key', 'secret', 'token', 'aws_secret_access_key'].some(
              (name) => isOwnSecret(call, call.named.get(name)) && !isToldByName(call, name),
            ) ||
            (/login$|BasicAuth$/.test(call.method) && call.args.length >= 2 && isOwnSecret(call, call.args[1])),
        },
        {
          calls: 'boto3.client boto3.resource boto3.Session boto3.session.Session',
          when: (call: CallFacts) => isOwnSecret(call, call.named.get('aws_secret_access_key')),
        },
        {
          calls: 'requests.get requests.post requests.put requests.delete httpx.get httpx.post',
          when: (call: CallFacts) => isOwnSecret(call, argument(call, 'auth')?.items?.[1]),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/798.html'],
    examples: {
      bad: [
        "import jwt\nt = jwt.encode({'a': 1}, 'my-secret-key', algorithm='HS256')\n",
        "import psycopg2\nLETMEIN = 'hunter2'\nc = psycopg2.connect(host='db', password=LETMEIN)\n",
        "import requests\nrequests.get('https://a.example', auth=('admin', 'admin1'))\n",
      ],
      good: [
        "import jwt, os\nt = jwt.encode({'a': 1}, os.environ['KEY'], algorithm='HS256')\n",
        "import psycopg2, os\nc = psycopg2.connect(host='db', password=os.environ['PASSWORD'])\n",
        "import requests\nrequests.get('https://a.example', auth=(user, password))\n",
      ],
    },
  },
  {
    id: 'py-literal-password',
    class: 'hardcoded-secret',
    cwe: 259,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message: 'A password stands in the source. Read it from the environment or a secret store.',
    matches: {
      flow: [
        { expression: 'assign', when: (node: Expr) => node.k === 'assign' && literalPassword(node.target, node.value) },
        {
          expression: 'op',
          when: (node: Expr) =>
            node.k === 'op' &&
            /^[=!]=$/.test(node.op) &&
            node.operands.length === 2 &&
            literalPassword(node.operands[0], node.operands[1]),
        },
        {
          expression: 'call',
          when: (node: Expr) =>
            node.k === 'call' &&
            node.args.some(
              (one) =>
                one.name !== undefined && literalPassword({ k: 'name', name: one.name, start: 0, end: 0 }, one.value),
            ),
        },
        {
          statement: 'func',
          when: (node: Stmt) =>
            node.k === 'func' && node.fn.params.some((one) => literalPassword(one.target, one.initial)),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/259.html'],
    examples: {
      bad: [
        "password = 'Admin#1'\n",
        "def login(user, password='letmein'):\n    return user\n",
        "def f(p):\n    connect(user='a', password='rainy99')\n",
      ],
      good: [
        "password = ''\n",
        'def login(user, password=None):\n    return user\n',
        "def f(p):\n    connect(user='a', password=p)\n",
      ],
    },
  },
  {
    id: 'py-cookie-without-flags',
    class: 'cookie-flags',
    cwe: 614,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'This cookie can be read by scripts or travels unencrypted, so who gets one script into a page, or listens on the way, takes over the session. Set httponly and secure, and samesite.',
    matches: {
      flow: [
        { calls: '*.set_cookie', when: (call: CallFacts) => lacksCookieFlags(call) },
        {
          calls: '*.set_signed_cookie *.set_secure_cookie',
          when: (call: CallFacts) =>
            argument(call, 'httponly')?.constant === false || argument(call, 'secure')?.constant === false,
        },
        {
          assigns: 'SESSION_COOKIE_SECURE SESSION_COOKIE_HTTPONLY CSRF_COOKIE_SECURE',
          when: (value: Value) => value.constant === false,
        },
        {
          assigns: '*.SESSION_COOKIE_SECURE *.SESSION_COOKIE_HTTPONLY *.session_cookie_secure',
          when: (value: Value) => value.constant === false,
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/614.html'],
    examples: {
      bad: [
        "from flask import make_response\nr = make_response('a')\nr.set_cookie('sid', make())\n",
        "r.set_cookie('sid', make(), secure=False, httponly=True)\n",
        "app.config['SESSION_COOKIE_SECURE'] = False\n",
      ],
      good: [
        "from flask import make_response\nr = make_response('a')\nr.set_cookie('sid', make(), secure=True, httponly=True)\n",
        "r.set_cookie('sid', make(), secure=True, httponly=True, samesite='Lax')\n",
        "r.set_cookie('sid', '', expires=0, max_age=0)\n",
        'from copy import copy\nfor cookie in jar:\n    other.set_cookie(copy(cookie))\n',
        "app.config['SESSION_COOKIE_SECURE'] = True\n",
      ],
    },
  },
  {
    id: 'py-cors-any-origin',
    class: 'cors',
    cwe: 942,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Pages of any site may read the answers, with the cookies of whoever looks at them where credentials are allowed. Name the origins that may.',
    matches: {
      flow: [
        {
          calls: 'flask_cors.CORS flask_cors.cross_origin',
          when: (call: CallFacts) =>
            (argument(call, 'origins', 'resources') === undefined && !call.open) ||
            listHas(argument(call, 'origins'), /^\*$/),
        },
        {
          calls: '*.add_middleware',
          when: (call: CallFacts) =>
            /CORSMiddleware/.test(call.args[0]?.ref ?? '') &&
            (listHas(call.named.get('allow_origins'), /^\*$/) ||
              /^\.\*$/.test(String(call.named.get('allow_origin_regex')?.constant ?? ''))),
        },
        { assigns: 'CORS_ORIGIN_ALLOW_ALL CORS_ALLOW_ALL_ORIGINS', when: (value: Value) => value.constant === true },
        {
          assigns: '*.Access-Control-Allow-Origin',
          when: (value: Value) => value.constant === '*' || value.taint?.origin === 'remote',
        },
        {
          calls: '*.add *.set_header *.setdefault',
          when: (call: CallFacts) =>
            /^access-control-allow-origin$/i.test(String(call.args[0]?.constant ?? '')) &&
            call.args[1]?.constant === '*',
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/942.html'],
    examples: {
      bad: [
        'from flask_cors import CORS\nCORS(app)\n',
        "app.add_middleware(CORSMiddleware, allow_origins=['*'])\n",
        'CORS_ALLOW_ALL_ORIGINS = True\n',
      ],
      good: [
        "from flask_cors import CORS\nCORS(app, origins=['https://a.example'])\n",
        "app.add_middleware(CORSMiddleware, allow_origins=['https://a.example'])\n",
        'CORS_ALLOW_ALL_ORIGINS = False\n',
      ],
    },
  },
  {
    id: 'py-csrf-off',
    class: 'csrf',
    cwe: 352,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'The protection against requests that other sites make in the name of whoever is logged in is turned off. Leave it on; exempt only what is authenticated without cookies.',
    matches: {
      flow: [
        { calls: 'django.views.decorators.csrf.csrf_exempt', when: () => true },
        {
          statement: 'func',
          when: (node: Stmt) =>
            node.k === 'func' &&
            node.fn.decorators.some(
              (mark) => /(^|\.)(csrf_exempt|exempt)$/.test(pathOf(mark) ?? '') && /csrf/.test(pathOf(mark) ?? ''),
            ),
        },
        {
          assigns: 'WTF_CSRF_ENABLED *.WTF_CSRF_ENABLED *.WTF_CSRF_CHECK_DEFAULT',
          when: (value: Value) => value.constant === false,
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/352.html'],
    examples: {
      bad: [
        'from django.views.decorators.csrf import csrf_exempt\n@csrf_exempt\ndef view(request):\n    return ok()\n',
        "app.config['WTF_CSRF_ENABLED'] = False\n",
        '@csrf.exempt\ndef f():\n    return 1\n',
      ],
      good: [
        'from django.views.decorators.csrf import csrf_protect\n@csrf_protect\ndef view(request):\n    return ok()\n',
        "app.config['WTF_CSRF_ENABLED'] = True\n",
        '@login.required\ndef f():\n    return 1\n',
      ],
    },
  },
  {
    id: 'py-debug-on',
    class: 'debug-enabled',
    cwe: 489,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Debug mode shows the source and the state of the program to everybody, and the debugger of Werkzeug runs what they type. Turn it on in development alone.',
    matches: {
      flow: [
        {
          calls: '*.run',
          when: (call: CallFacts) =>
            call.named.get('debug')?.constant === true && /Flask|app|bottle|quart|sanic|uvicorn/i.test(call.ref),
        },
        { assigns: 'DEBUG TEMPLATE_DEBUG DEBUG_PROPAGATE_EXCEPTIONS', when: (value: Value) => value.constant === true },
        {
          assigns: '*.debug *.DEBUG',
          when: (value: Value, target: Expr) =>
            value.constant === true &&
            target.k === 'member' &&
            /(^|\.)(app|application|config)$/.test(pathOf(target.object) ?? ''),
        },
        {
          calls: 'tornado.web.Application fastapi.FastAPI starlette.applications.Starlette',
          when: (call: CallFacts) => argument(call, 'debug')?.constant === true,
        },
      ],
    },
    fix: {
      description: 'Turn debug mode off',
      apply: 'debug-false',
      safe: 'Only where a server is started with it: what it answers stays the same but for its error pages. Settings (`DEBUG = True`) decide more than that and are left to people.',
    },
    references: ['https://cwe.mitre.org/data/definitions/489.html'],
    examples: {
      bad: [
        'from fastapi import FastAPI\napp = FastAPI(debug=True)\n',
        'from flask import Flask\napp = Flask(__name__)\napp.run(debug=True)\n',
        'DEBUG = True\n',
        "app.config['DEBUG'] = True\n",
      ],
      good: [
        'from flask import Flask\napp = Flask(__name__)\napp.run(debug=False)\n',
        'DEBUG = False\n',
        "app.config['DEBUG'] = flag\n",
      ],
    },
  },
  {
    id: 'py-bind-all',
    class: 'bind-all',
    cwe: 605,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'The program listens on every network of the machine. Listen on 127.0.0.1, or on the one address that is meant.',
    matches: {
      flow: [
        {
          calls:
            '*.bind *.run *.listen *.HTTPServer *.TCPServer *.create_server *.start_server *.run_app *.serve *.ThreadingHTTPServer *.UDPServer *.make_server',
          when: (call: CallFacts) =>
            [...call.args, ...call.named.values(), ...(call.args[0]?.items ?? [])].some(
              (one) => one.constant === '0.0.0.0' || one.constant === '::',
            ) ||
            (call.method === 'bind' && call.args[0]?.items?.[0]?.constant === ''),
        },
        {
          expression: 'const',
          when: (node: Expr, _module: Module, parents: readonly (Expr | Stmt)[]) =>
            node.k === 'const' && node.value === '0.0.0.0' && parents.at(-1)?.k === 'assign',
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/605.html'],
    examples: {
      bad: [
        "import socket\ns = socket.socket()\ns.bind(('0.0.0.0', 80))\n",
        "app.run(host='0.0.0.0')\n",
        "HOST = '0.0.0.0'\n",
      ],
      good: [
        "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 80))\n",
        "app.run(host='127.0.0.1')\n",
        "HOST = 'localhost'\n",
      ],
    },
  },
  {
    id: 'py-file-for-all',
    class: 'file-permissions',
    cwe: 732,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'Every user of the machine may write or run this file, and so change what the program reads or runs. Give 0o600, or 0o700 for folders.',
    matches: {
      flow: [
        { calls: 'os.chmod os.fchmod os.lchmod', when: (call: CallFacts) => isOpenMode(call.args[1], call) },
        {
          calls: 'os.mkdir os.makedirs os.open os.mkfifo',
          when: (call: CallFacts) =>
            isOpenMode(argument(call, 'mode') ?? call.args[call.method === 'open' ? 2 : 1], call),
        },
        { calls: '*.chmod', when: (call: CallFacts) => call.args.length === 1 && isOpenMode(call.args[0], call) },
        { calls: 'os.umask', when: (call: CallFacts) => call.args[0]?.constant === 0 },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/732.html'],
    examples: {
      bad: [
        "import os\nos.chmod('/srv/a', 0o777)\n",
        "import os, stat\nos.chmod('/srv/a', stat.S_IRWXU | stat.S_IRWXO)\n",
        "import os\nMODE = 0o666\nos.chmod('/srv/a', MODE)\n",
      ],
      good: [
        "import os\nos.chmod('/srv/a', 0o700)\n",
        "import os, stat\nos.chmod('/srv/a', stat.S_IRWXU)\n",
        "import os\nMODE = 0o640\nos.chmod('/srv/a', MODE)\n",
      ],
    },
  },
  {
    id: 'py-known-temporary-file',
    class: 'insecure-temp-file',
    cwe: 377,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'The name of this temporary file is known before, so another user of the machine can put a link there and have this program write elsewhere. Use tempfile.NamedTemporaryFile or mkdtemp.',
    matches: {
      flow: [
        { calls: 'tempfile.mktemp os.tempnam os.tmpnam', when: () => true },
        {
          calls: 'open io.open os.open os.makedirs os.mkdir',
          when: (call: CallFacts) => /^(\/var)?\/(tmp|dev\/shm)\//.test(call.args[0]?.shape ?? ''),
        },
        {
          expression: 'const',
          when: (node: Expr, _module: Module, parents: readonly (Expr | Stmt)[]) =>
            node.k === 'const' &&
            typeof node.value === 'string' &&
            /^(\/var)?\/(tmp|dev\/shm)\/\w/.test(node.value) &&
            parents.at(-1)?.k === 'assign',
        },
      ],
    },
    fix: {
      description: 'Use a private folder',
      apply: 'private-temporary-folder',
      safe: "Only tempfile.mktemp: it gives, as before, the name of a file that isn't there yet, in a folder that nobody else can write to. Fixed paths below /tmp may be known to others and are left to people.",
    },
    references: ['https://cwe.mitre.org/data/definitions/377.html'],
    examples: {
      bad: [
        'import tempfile\nn = tempfile.mktemp()\n',
        "with open('/tmp/report.txt', 'w') as f:\n    f.write('x')\n",
        "PATH = '/tmp/state.json'\n",
      ],
      good: [
        'import tempfile\nn = tempfile.mkstemp()\n',
        "with open('report.txt', 'w') as f:\n    f.write('x')\n",
        "PATH = '/srv/state.json'\n",
      ],
    },
  },
  {
    id: 'py-archive-extracted',
    class: 'path-traversal',
    cwe: 22,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'The names of entries of an archive become paths as they are, so an archive with `../` in it writes anywhere. Pass filter="data", or check each name.',
    matches: {
      flow: [
        {
          calls: '*.extractall',
          when: (call: CallFacts) =>
            /tarfile/.test(call.ref) &&
            argument(call, 'filter') === undefined &&
            argument(call, 'members') === undefined,
        },
        { calls: 'shutil.unpack_archive', when: (call: CallFacts) => argument(call, 'filter') === undefined },
      ],
    },
    fix: {
      description: 'Extract data only',
      apply: 'extract-filter',
      safe: 'The filter is what Python 3.14 uses when nothing is said (and every supported version knows): honest archives give the same files; only entries outside of the folder, devices and open modes are refused.',
    },
    references: ['https://cwe.mitre.org/data/definitions/22.html'],
    examples: {
      bad: [
        "import tarfile\nt = tarfile.open('a.tar')\nt.extractall('out')\n",
        "import tarfile\nwith tarfile.open('a.tar') as t:\n    t.extractall()\n",
        "import shutil\nshutil.unpack_archive('a.tar', 'out')\n",
      ],
      good: [
        "import tarfile\nt = tarfile.open('a.tar')\nt.extractall('out', filter='data')\n",
        "import tarfile\nwith tarfile.open('a.tar') as t:\n    t.getnames()\n",
        "import shutil\nshutil.make_archive('a', 'tar')\n",
      ],
    },
  },
  {
    id: 'py-no-timeout',
    class: 'resource-limits',
    cwe: 400,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'This request waits for ever when the other side does not answer, and so does whoever waits for it. Set a timeout.',
    matches: {
      flow: [
        {
          calls:
            'requests.get requests.post requests.put requests.patch requests.delete requests.head requests.options requests.request',
          when: (call: CallFacts) =>
            (argument(call, 'timeout') === undefined && !call.open) || argument(call, 'timeout')?.constant === null,
        },
        {
          calls: 'httpx.get httpx.post httpx.Client httpx.AsyncClient httpx.put httpx.delete',
          when: (call: CallFacts) => argument(call, 'timeout')?.constant === null,
        },
      ],
    },
    fix: {
      description: 'Set a timeout',
      apply: 'request-timeout',
      safe: 'The timeout is for silence, not for the whole transfer, and 300 s is longer than any common proxy lets a connection be silent; a request that is answered at all is answered as before. `timeout=None` was chosen and is left.',
    },
    references: ['https://cwe.mitre.org/data/definitions/400.html'],
    examples: {
      bad: [
        "import requests\nrequests.get('https://a.example')\n",
        'import requests\ndef f(u):\n    return requests.post(u, json={}, timeout=None)\n',
        'import httpx\nc = httpx.Client(timeout=None)\n',
      ],
      good: [
        "import requests\nrequests.get('https://a.example', timeout=5)\n",
        'import requests\ndef f(u):\n    return requests.post(u, json={}, timeout=(3, 10))\n',
        'import httpx\nc = httpx.Client()\n',
      ],
    },
  },
  {
    id: 'py-template-not-escaped',
    class: 'xss',
    cwe: 79,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message: 'Templates put values into pages as they are, so a script in a value runs. Turn autoescape on.',
    matches: {
      flow: [
        {
          calls: 'jinja2.Environment jinja2.environment.Environment',
          when: (call: CallFacts) =>
            !call.open &&
            (argument(call, 'autoescape') === undefined || argument(call, 'autoescape')?.constant === false),
        },
        {
          calls: 'mako.template.Template mako.lookup.TemplateLookup',
          when: (call: CallFacts) => argument(call, 'default_filters') === undefined,
        },
        {
          calls:
            'django.utils.safestring.mark_safe django.utils.safestring.SafeText django.utils.safestring.SafeString markupsafe.Markup flask.Markup jinja2.Markup',
          when: (call: CallFacts) => marksUnescaped(call),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/79.html'],
    examples: {
      bad: [
        'import jinja2\ne = jinja2.Environment(autoescape=False)\n',
        'from jinja2 import Environment\nenv = Environment(loader=loader)\n',
        "from django.utils.safestring import mark_safe\ndef bold(t):\n    return mark_safe('<b>%s</b>' % t)\n",
      ],
      good: [
        'import jinja2\ne = jinja2.Environment(autoescape=True)\n',
        'from jinja2 import Environment, select_autoescape\nenv = Environment(loader=loader, autoescape=select_autoescape())\n',
        "from django.utils.safestring import mark_safe\ndef bold():\n    return mark_safe('<b>a</b>')\n",
        'from markupsafe import Markup\ndef plain(t):\n    return Markup(str(t)).striptags()\n',
        "from markupsafe import Markup, escape\ndef bold(t):\n    return Markup('<b>' + escape(t) + '</b>')\n",
      ],
    },
  },
  {
    id: 'py-error-swallowed',
    class: 'error-handling',
    cwe: 703,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'Every error is swallowed: what failed goes on as if it had worked, and nobody ever learns of it. Catch what can be expected, and log the rest.',
    matches: {
      flow: [{ statement: 'try', when: (node: Stmt, module: Module) => node.k === 'try' && swallows(node, module) }],
    },
    references: ['https://cwe.mitre.org/data/definitions/703.html'],
    examples: {
      bad: [
        'try:\n    save()\nexcept Exception:\n    pass\n',
        'for x in y:\n    try:\n        f(x)\n    except:\n        continue\n',
        'def g():\n    try:\n        h()\n    except BaseException:\n        pass\n',
      ],
      good: [
        'try:\n    save()\nexcept KeyError:\n    pass\n',
        'class A:\n    def __del__(self):\n        try:\n            self.close()\n        except Exception:\n            pass\n',
        'try:\n    x = str(y)\nexcept Exception:\n    pass\nelse:\n    f(x)\n',
        'for x in y:\n    try:\n        f(x)\n    except Exception as e:\n        log(e)\n',
        'def g():\n    try:\n        h()\n    finally:\n        i()\n',
      ],
    },
  },
  {
    id: 'py-assert-guards',
    class: 'error-handling',
    cwe: 754,
    severity: 'info',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message: 'Asserts are left out when Python runs with -O, and with them this check. Raise an error.',
    matches: { flow: [{ statement: 'assert', when: (node: Stmt) => node.k === 'assert' && guardsAccess(node.test) }] },
    references: ['https://cwe.mitre.org/data/definitions/754.html'],
    examples: {
      bad: [
        'def f(user):\n    assert user.is_admin\n    wipe()\n',
        "def g(user):\n    assert user.has_permission('x')\n",
        'def h(request):\n    assert request.user.is_authenticated\n',
      ],
      good: [
        'def f(user):\n    if not user.is_admin:\n        raise PermissionError\n    wipe()\n',
        'def g(user):\n    assert isinstance(user, User)\n',
        'def h(x):\n    assert x > 0\n',
      ],
    },
  },
  {
    id: 'py-headers-off',
    class: 'web-headers',
    cwe: 693,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    message:
      'A protection of browsers is turned off: against frames of other sites, or guessed content types. Leave it on.',
    matches: {
      flow: [
        { calls: 'django.views.decorators.clickjacking.xframe_options_exempt', when: () => true },
        {
          statement: 'func',
          when: (node: Stmt) =>
            node.k === 'func' && node.fn.decorators.some((mark) => /xframe_options_exempt$/.test(pathOf(mark) ?? '')),
        },
        {
          assigns: 'SECURE_CONTENT_TYPE_NOSNIFF SECURE_BROWSER_XSS_FILTER',
          when: (value: Value) => value.constant === false,
        },
        { assigns: 'SECURE_HSTS_SECONDS', when: (value: Value) => value.constant === 0 },
        { assigns: '*.X-Frame-Options', when: (value: Value) => /^allow/i.test(String(value.constant ?? '')) },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/693.html'],
    examples: {
      bad: [
        '@xframe_options_exempt\ndef f(request):\n    return 1\n',
        'SECURE_CONTENT_TYPE_NOSNIFF = False\n',
        "r.headers['X-Frame-Options'] = 'ALLOWALL'\n",
      ],
      good: [
        '@xframe_options_deny\ndef f(request):\n    return 1\n',
        'SECURE_CONTENT_TYPE_NOSNIFF = True\n',
        "r.headers['X-Frame-Options'] = 'DENY'\n",
      ],
    },
  },
  {
    id: 'py-secret-logged',
    class: 'info-exposure',
    cwe: 532,
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'A password or a key is written into the log or onto the screen, where more people and programs see it than should. Leave it out.',
    matches: {
      flow: [
        {
          calls: 'print *.info *.debug *.warning *.error *.critical *.exception',
          when: (call: CallFacts) =>
            (call.ref === 'print' || /log/i.test(call.ref)) &&
            call.node.args.some(({ value }) => namesCredential(value)),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/532.html'],
    examples: {
      bad: [
        "import logging\nlogging.info('password: %s', password)\n",
        "def f(user):\n    print(f'login with {user.password}')\n",
        "import logging\nlogger = logging.getLogger(__name__)\ndef f(api_key):\n    logger.debug('key ' + api_key)\n",
      ],
      good: [
        "import logging\nlogging.info('password is wrong for %s', name)\n",
        "def f(user):\n    print(f'login with {user.name}')\n",
        "import logging\nlogger = logging.getLogger(__name__)\ndef f(port):\n    logger.debug('port ' + port)\n",
      ],
    },
  },
  {
    id: 'py-error-shown',
    class: 'info-exposure',
    cwe: 209,
    severity: 'low',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'The text or the trace of an error goes to the client and tells how the server is built. Log it, and answer with a short message and a status.',
    matches: {
      flow: [
        { statement: 'try', when: (node: Stmt, module: Module) => node.k === 'try' && returnsError(node, module) },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/209.html'],
    examples: {
      bad: [
        "from flask import Flask\n@app.route('/')\ndef f():\n    try:\n        return g()\n    except Exception as e:\n        return str(e), 500\n",
        'from django.http import HttpResponse\nimport traceback\ndef view(request):\n    try:\n        return g()\n    except Exception:\n        return HttpResponse(traceback.format_exc())\n',
        'from flask import jsonify\ndef f():\n    try:\n        return g()\n    except ValueError as error:\n        return jsonify(error=str(error))\n',
      ],
      good: [
        "from flask import Flask\n@app.route('/')\ndef f():\n    try:\n        return g()\n    except Exception as e:\n        log(e)\n        return 'failed', 500\n",
        "from django.http import HttpResponse\ndef view(request):\n    try:\n        return g()\n    except Exception:\n        return HttpResponse('failed')\n",
        "from flask import jsonify\ndef f():\n    try:\n        return g()\n    except ValueError:\n        return jsonify(error='bad')\n",
      ],
    },
  },
  {
    id: 'py-early-out-comparison',
    class: 'timing-attack',
    cwe: 208,
    severity: 'low',
    confidence: 'low',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'This comparison ends at the first wrong character, so its time tells how much of a secret is right. Compare with hmac.compare_digest.',
    matches: { flow: [{ expression: 'op', when: (node: Expr) => comparesSecret(node) }] },
    references: ['https://cwe.mitre.org/data/definitions/208.html'],
    examples: {
      bad: [
        'def f(request):\n    return request.token == api_key\n',
        'if password == user.password:\n    login()\n',
        'def g(signature, expected):\n    return signature != expected\n',
      ],
      good: [
        'import hmac\ndef f(request):\n    return hmac.compare_digest(request.token, api_key)\n',
        "if password == '':\n    login()\n",
        'def g(size, expected):\n    return size != expected\n',
        'def g(key, secret):\n    key_given = key is not None\n    secret_key_given = secret is not None\n    return key_given != secret_key_given\n',
      ],
    },
  },
  {
    id: 'py-slow-pattern',
    class: 'regex-dos',
    cwe: 1333,
    severity: 'medium',
    confidence: 'high',
    languages: LANGUAGES,
    message:
      'Some short texts keep this expression busy for minutes, because it can match the same characters in many ways. Make the parts that repeat exclude each other.',
    matches: {
      flow: [
        {
          calls: 're.compile re.match re.search re.fullmatch re.findall re.sub re.split re.finditer regex.compile',
          when: (call: CallFacts) => typeof call.args[0]?.constant === 'string' && isSlowPattern(call.args[0].constant),
        },
      ],
    },
    references: ['https://cwe.mitre.org/data/definitions/1333.html'],
    examples: {
      bad: [
        "import re\nr = re.compile(r'^(a+)+$')\n",
        "import re\nP = r'^([a-z0-9]+\\s?)*$'\ndef f(x):\n    return re.match(P, x)\n",
        "import re\ndef f(x):\n    return re.search('(\\\\w+\\\\s*)*!', x)\n",
      ],
      good: [
        "import re\nr = re.compile(r'^(ab+)+$')\n",
        "import re\nP = r'^([a-z0-9]+\\s)*$'\ndef f(x):\n    return re.match(P, x)\n",
        "import re\ndef f(x):\n    return re.search('(\\\\w+\\\\s+)*!', x)\n",
      ],
    },
  },
  {
    id: 'py-obvious-mistake',
    class: 'bug',
    severity: 'medium',
    confidence: 'medium',
    languages: LANGUAGES,
    skipsTests: true,
    message:
      'This does not do what it looks like: a default that all calls share, a comparison with itself, `is` with a literal, or an assert of a tuple, which is always true.',
    matches: {
      flow: [
        {
          statement: 'func',
          when: (node: Stmt, module: Module) =>
            node.k === 'func' &&
            node.fn.params.some(
              ({ initial }) =>
                // An empty tuple is nothing that anybody could change.
                (initial?.k === 'list' && initial.items.length === 0 && module.text[initial.start] !== '(') ||
                (initial?.k === 'object' && initial.entries.length === 0),
            ),
        },
        {
          expression: 'op',
          when: (node: Expr, module: Module) =>
            isPointless(node, module) ||
            (node.k === 'op' &&
              /^is( not)?$/.test(node.op) &&
              node.operands.some(
                (one) => one.k === 'const' && (typeof one.value === 'string' || typeof one.value === 'number'),
              )),
        },
        {
          statement: 'assert',
          when: (node: Stmt) => node.k === 'assert' && node.test.k === 'list' && node.test.items.length > 1,
        },
      ],
    },
    fix: {
      description: 'Say what is meant',
      apply: 'obvious-mistake',
      safe: '`is` with a literal depends on the interpreter (it warns), so nobody can rely on it; a default `[]` becomes `()` only where the function just walks along it, counts or looks up, which is the same for both.',
    },
    references: ['https://docs.python.org/3/faq/programming.html'],
    examples: {
      bad: [
        'def f(x, seen=[]):\n    seen.append(x)\n',
        'def f(x, seen=[]):\n    return x in seen\n',
        "if x is 'a':\n    f()\n",
        "assert (x, 'must be there')\n",
      ],
      good: [
        'def f(x, seen=None):\n    seen = seen or []\n',
        'def f(x, seen=()):\n    return x in seen\n',
        "if x == 'a':\n    f()\n",
        "assert x, 'must be there'\n",
      ],
    },
  },
];
