import { defineConfig } from 'vitest/config'

const setupFiles = process.env['CI'] ? ['test/support/same-seed.ts'] : []
/** What is waited for is waited for until it comes: a machine with other work is slow, which is no failure. */
const patient = { testTimeout: 30_000, hookTimeout: 30_000, expect: { poll: { timeout: 15_000 } } }
const project = (name: string, include: string[], options: Record<string, unknown> = {}) => ({ test: { name, include, setupFiles, ...patient, ...options } })
/** Real clusters on one machine: one file at a time. */
const real = { fileParallelism: false, testTimeout: 120_000, hookTimeout: 180_000 }

export default defineConfig({
  test: {
    projects: [
      project('unit', ['src/**/*.test.ts']),
      project('conformance', ['test/conformance/**/*.test.ts', 'examples/**/*.test.ts'], real),
      project('e2e', ['test/e2e/**/*.test.ts'], real),
      // Run by test/e2e/network.test.ts, inside the network namespace it makes.
      project('inside', ['test/e2e/network/*.inside.ts'], real),
      project('faults', ['test/faults/**/*.test.ts'], real),
    ],
  },
})
