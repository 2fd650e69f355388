/** `skiff apiserver --memory`: what other languages use for their tests. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { eventually, run } from '../support/host.ts'

const skiff = join(import.meta.dirname, '../../skiff')

it('serves kubectl from memory until it is told to end, and leaves nothing behind', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'skiff-apiserver-'))
  const kubeconfig = join(dir, 'kubeconfig')
  const server = spawn(skiff, ['apiserver', '--memory', '--kubeconfig', kubeconfig], { stdio: 'ignore', env: { ...process.env, TMPDIR: dir } })
  await eventually('the kubeconfig', () => (existsSync(kubeconfig) ? true : undefined))
  const kubectl = (...args: string[]) => run('kubectl', args, { env: { KUBECONFIG: kubeconfig, HOME: dir } })
  expect((await kubectl('create', 'configmap', 'a')).stdout).toBe('configmap/a created\n')
  expect((await kubectl('get', 'configmaps', '-o', 'name')).stdout).toContain('configmap/a\n')
  server.kill('SIGTERM')
  expect(await once(server, 'exit')).toEqual([0, null])
  expect((await run('find', [dir, '-name', 'skiff-test-server-*'])).stdout).toBe('')
  rmSync(dir, { recursive: true, force: true })
})

it('says what it needs', async () => {
  const finished = await run(skiff, ['apiserver'])
  expect(finished).toMatchObject({ code: 1, stdout: '' })
  expect(finished.stderr).toBe('skiff: "skiff apiserver" needs --memory; for a control plane that keeps its data, run "skiff server --no-node"\n')
})
