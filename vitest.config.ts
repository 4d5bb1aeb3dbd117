import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// `npm run test:long` sets this: the named long proofs run alone, everything else runs without them.
const long = process.env.TEST_LONG === '1'
const tests = (folder: string) => `${folder}/**/*${long ? '.long' : ''}.test.ts`

export default defineConfig({
  test: {
    // Two workers: the tests start servers, databases and Python processes of their own beside them.
    pool: 'forks',
    maxWorkers: Math.min(2, availableParallelism()),
    retry: 0,
    testTimeout: long ? 30 * 60_000 : 30_000,
    hookTimeout: long ? 10 * 60_000 : 120_000,
    teardownTimeout: 20_000,
    passWithNoTests: true,
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
