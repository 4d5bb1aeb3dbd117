import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'vitest'
import { testEnvironments } from '#kit/python.ts'
import { pytestIn } from '../../python/pytest.ts'

const lock = await readFile(join(import.meta.dirname, 'environment.lock'), 'utf8')
const environment = await testEnvironments().ensure({ lock })

for (const { name, failure } of await pytestIn(import.meta.dirname, environment, 'test_train.py')) {
  test(name, () => {
    if (failure) throw new Error(failure)
  })
}
