/** The node's network against a real kernel, in a network namespace of its own: `network/network.inside.ts` runs in there. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { sh } from './network/world.ts'

it('does what Services, DNS, host ports and policies ask for', { timeout: 170_000 }, () => {
  const namespace = `skiff-nettest-${process.pid}`
  sh('ip', 'netns', 'add', namespace)
  try {
    const root = join(import.meta.dirname, '../..')
    const result = spawnSync('nsenter', [`--net=/run/netns/${namespace}`, process.execPath, join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'inside'], {
      cwd: root,
      env: { ...process.env, SKIFF_TEST_NETNS: namespace, NO_COLOR: '1', FORCE_COLOR: '0' },
      encoding: 'utf8',
    })
    if (result.status !== 0) throw new Error(`${result.stdout}\n${result.stderr}`)
    expect(result.stdout).toMatch(/Tests\s+\d+ passed/)
  } finally {
    sh('ip', 'netns', 'del', namespace)
  }
})
