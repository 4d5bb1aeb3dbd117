import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// `node_modules/.bin/vitest` alone would run on whatever Node is first in PATH.
if (Number(process.versions.node.split('.')[0]) < 26) {
  throw new Error(`the tests need Node 26, this is ${process.version}: run them by "npm test -- <paths>"`)
}

// `npm run test:long` sets this: the named long proofs run alone, everything else runs without them.
const long = process.env.TEST_LONG === '1'
const tests = (folder: string) => `${folder}/**/*${long ? '.long' : ''}.test.ts`

export default defineConfig({
  test: {
    pool: 'forks',
    // Two workers: the tests start servers, databases and Python processes of their own beside them. The long proofs measure times
    // and wait for work to be caught under way: one after the other.
    maxWorkers: long ? 1 : Math.min(2, availableParallelism()),
    retry: 0,
    testTimeout: long ? 30 * 60_000 : 60_000,
    hookTimeout: long ? 10 * 60_000 : 120_000,
    teardownTimeout: 20_000,
    passWithNoTests: true,
    globalSetup: './server/test/kit/global-setup.ts',
    projects: [
      {
        extends: true,
        test: {
          name: 'server',
          environment: 'node',
          include: ['server', 'tools', 'python', 'examples', 'web'].map(tests),
          exclude: ['**/node_modules/**', '**/dist/**', '**/.venv/**', ...(long ? [] : ['**/*.long.test.ts'])],
        },
      },
    ],
  },
})
