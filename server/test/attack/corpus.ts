/** What is tried wherever a path can be said: ways out of a folder, and texts that readers of paths stumble over. */

const WANTED = 'canary.txt'
const up = (step: string, depth: number) => step.repeat(depth) + WANTED

/** As a program would hold them, before anything is encoded. */
const TEXTS: readonly string[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 12].map((depth) => up('../', depth)),
  ...[1, 3, 8].map((depth) => up('..\\', depth)),
  ...['....//', '..././', '.../...//', '..;/', './../', '..//', '../\\', '.. /', '..%20/'].map((step) => up(step, 4)),
  `a/../../../../${WANTED}`,
  `a/b/c/../../../../../../${WANTED}`,
  `/../../../../${WANTED}`,
  '/etc/passwd',
  '//etc/passwd',
  '///etc///passwd',
  '/./etc/./passwd',
  '../../../../../../../../../../etc/passwd',
  'artifacts/../../../../../../../../../../etc/passwd',
  '/proc/self/environ',
  '/proc/self/cwd/package.json',
  '/dev/zero',
  'file:///etc/passwd',
  'file://localhost/etc/passwd',
  'FILE:/etc/passwd',
  'file:..%2f..%2f..%2fetc/passwd',
  'jar:file:/etc/passwd!/x',
  'mlflow-artifacts:/../../../etc/passwd',
  'runs:/../../../etc/passwd',
  'C:\\Windows\\win.ini',
  'c:/windows/win.ini',
  'C:canary.txt',
  '\\\\host\\share\\canary.txt',
  '//host/share/canary.txt',
  '\\\\?\\C:\\canary.txt',
  '\\\\.\\pipe\\canary',
  'CON',
  'aux.txt',
  'canary.txt::$DATA',
  '~/.ssh/id_rsa',
  '~root/canary.txt',
  '$HOME/canary.txt',
  '$' + '{HOME}/canary.txt',
  '`id`',
  '$(id)',
  '| id',
  '\u0000',
  `../../../../${WANTED}\u0000.png`,
  `${WANTED}\u0000`,
  `..\u0000/..\u0000/${WANTED}`,
  `\n../../../../${WANTED}`,
  '\r\nx-injected: yes',
  '\u001b[2J',
  '\u007f',
  // Letters that a careless normalisation turns into dots and slashes.
  `\uff0e\uff0e\uff0f\uff0e\uff0e\uff0f${WANTED}`,
  `\u2025/\u2025/${WANTED}`,
  `..\u2215..\u2215${WANTED}`,
  `..\u29f8..\u29f8${WANTED}`,
  `..\uff3c..\uff3c${WANTED}`,
  `\ufe52\ufe52/\ufe52\ufe52/${WANTED}`,
  `.\u200b./.\u200b./${WANTED}`,
  `\ufeff../../../../${WANTED}`,
  `\u202etxt.yranac/../..`,
  `\u0430/../../../../${WANTED}`,
  'e\u0301/../e\u0301',
  '../'.repeat(700) + WANTED,
  'a/'.repeat(1000) + WANTED,
  'a'.repeat(4000),
  '.',
  '..',
  '...',
  './',
  '/',
  '//',
  ' ',
  '%',
  '%2',
  '%zz',
  '%%32%65',
  '?',
  '#',
  `#../../../../${WANTED}`,
  '*',
  '[!a]',
  '{a,b}',
  '__proto__',
  'constructor',
  '<script>alert(1)</script>',
  "'; DROP TABLE run; --",
]

/** Bytes that are no text, or no UTF-8 at all: they go into a URL as they stand. */
const RAW: readonly string[] = [
  ...['%c0%ae%c0%ae%c0%af', '%e0%80%ae%e0%80%ae%e0%80%af', '%f0%80%80%ae%f0%80%80%ae/', '%c0%2e%c0%2e/'].map((step) =>
    up(step, 4),
  ),
  ...[
    '..%c1%9c',
    '..%c0%9v',
    '%u002e%u002e%u2215',
    '%uff0e%uff0e%u2215',
    '.%00./',
    '%2e%2e%5c',
    '.%2e/',
    '%2e%2e/',
  ].map((step) => up(step, 4)),
  ...['%252e%252e%252f', '%25252e%25252e%25252f', '..%25%32%66', '%25c0%25ae%25c0%25ae/'].map((step) => up(step, 4)),
  '%ed%a0%80',
  '%fe%ff',
  '%ff%ff%ff%ff',
  '%f8%80%80%80%ae',
  '%80',
  '%00',
  '%0d%0ax-injected:%20yes',
]

/** Also what needs no encoding is encoded: a check of the URL's text alone would see none of it. */
const encoded = (text: string) =>
  [...Buffer.from(text.toWellFormed())].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
const asUrlHasIt = (text: string) => encodeURIComponent(text.toWellFormed()).replaceAll('%2F', '/')

const short = (text: string) => text.length < 1000

/** For a place in a URL's path or query: encoded once, twice, and as it stands where a URL may hold it. */
export const IN_URLS: readonly string[] = [
  ...new Set([
    ...TEXTS.map(asUrlHasIt),
    ...TEXTS.filter(short).map(encoded),
    ...TEXTS.filter(short).map((text) => encoded(encoded(text).slice(0, 900))),
    ...TEXTS.filter((text) => /^[\x21-\x7e]+$/.test(text) && !/[?#]/.test(text)),
    ...RAW,
  ]),
]

/** For a field of a JSON body: as it is, and encoded once and twice. */
export const IN_BODIES: readonly string[] = [
  ...new Set([
    ...TEXTS,
    ...TEXTS.filter(short).map((text) => encodeURIComponent(text)),
    ...TEXTS.filter(short).map((text) => encodeURIComponent(encodeURIComponent(text))),
    ...RAW,
    '\ud800',
    '\udc00/../x',
  ]),
]

/** Every `n`th, begun at `from`: a sample that differs from place to place, so that all of them are tried somewhere. */
export const sampleOf = (all: readonly string[], count: number, from: number): string[] =>
  Array.from({ length: Math.min(count, all.length) }, (_, at) => all[(from + at * 7) % all.length]!)
