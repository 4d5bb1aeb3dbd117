import { describe, expect, test } from 'vitest'
import { countsLine, countVitest, type VitestReport } from './counts.ts'

const report = (more: Partial<VitestReport>): VitestReport => ({
  numPassedTests: 4,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  success: true,
  testResults: [],
  ...more,
})

describe('the counts of a run', () => {
  test('are those of the report', () => {
    expect(countVitest(report({ numFailedTests: 2, numPendingTests: 1, numTodoTests: 1, success: false }), 1)).toEqual({
      passed: 4,
      failed: 2,
      skipped: 2,
    })
  })

  test('have one failure for each file that did not load', () => {
    const testResults = [{ name: 'a.test.ts', status: 'failed', assertionResults: [] }]
    expect(countVitest(report({ success: false, testResults }), 1).failed).toBe(1)
  })

  test('have a failure when no test failed and the run did', () => {
    expect(countVitest(report({}), 1).failed).toBe(1)
    expect(countVitest(undefined, 0).failed).toBe(1)
  })

  test('are one line, with what was skipped', () => {
    expect(countsLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed')
    expect(countsLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped')
  })
})
