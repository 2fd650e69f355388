import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { pathsOf } from './paths.ts'
import type { Paths } from './paths.ts'
import { checkName, isFree, readSettings, rememberArguments, settle } from './settings.ts'

let dir: string
let paths: Paths
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-settings-'))
  paths = { ...pathsOf({ name: 'test', dataDir: join(dir, 'data') }), run: join(dir, 'run') }
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it('writes down what a cluster was made with, and finds it again', async () => {
  const made = await settle(paths, { name: 'test', port: 16443, nodeAddress: '192.0.2.7' })
  expect(made).toMatchObject({ name: 'test', port: 16443, nodeAddress: '192.0.2.7', clusterDomain: 'cluster.local' })
  expect(await settle(paths, { name: 'test' })).toEqual(made)
  expect(readSettings(paths)).toEqual(made)
})

it('refuses another port for a cluster that has one', async () => {
  await settle(paths, { name: 'test', port: 16443 })
  await expect(settle(paths, { name: 'test', port: 16444 })).rejects.toThrow('was created with port 16443')
})

it('goes back to the flags it had before', async () => {
  const before = await settle(paths, { name: 'test', port: 16443, apiServerArguments: { 'anonymous-auth': 'false' } })
  const made = await settle(paths, { name: 'test', apiServerArguments: { 'audit-policy-file': '/wrong' } })
  expect(readSettings(paths)?.apiServerArguments).toEqual({ 'anonymous-auth': 'false', 'audit-policy-file': '/wrong' })
  rememberArguments(paths, made, before.apiServerArguments)
  expect(readSettings(paths)).toEqual(before)
  expect(rememberArguments(paths, made, undefined).apiServerArguments).toBeUndefined()
})

it('says so when the settings are damaged', () => {
  rmSync(paths.data, { recursive: true, force: true })
  return settle(paths, { name: 'test', port: 16443 }).then(() => {
    writeFileSync(paths.settings, '{"name":')
    expect(() => readSettings(paths)).toThrow(/is damaged; restore it, or remove/)
  })
})

it('takes only names that fit into paths, interfaces and tables', () => {
  for (const name of ['a', 'dev-2', 'a'.repeat(40)]) expect(() => checkName(name)).not.toThrow()
  for (const name of ['', 'A', '-a', 'a-', 'a/b', '..', 'a'.repeat(41)]) expect(() => checkName(name)).toThrow(/cannot be a cluster's name/)
})

it('sees that a port is in use', async () => {
  const server = createServer().listen(0)
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  expect(await isFree(port)).toBe(false)
  await new Promise((resolve) => server.close(resolve))
  expect(await isFree(port)).toBe(true)
})
