import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { kubeconfigOf, mergeKubeconfig, unmergeKubeconfig } from './kubeconfig.ts'

const own = kubeconfigOf({ name: 'skiff', server: 'https://127.0.0.1:6443', ca: 'CA', user: { cert: 'CERT', key: 'KEY' } })
const foreign = `apiVersion: v1
kind: Config
clusters:
- name: work
  cluster: {server: https://work.example}
contexts:
- name: work
  context: {cluster: work, user: me, namespace: team}
users:
- name: me
  user: {token: secret}
current-context: work
`
let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-kubeconfig-'))
  file = join(dir, '.kube', 'config')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it('makes a kubeconfig where there was none, for its owner alone', () => {
  mergeKubeconfig(file, own)
  expect(parse(readFileSync(file, 'utf8'))).toEqual(parse(own))
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

it('adds its context beside those of other clusters, once however often', () => {
  mergeKubeconfig(file, own)
  writeFileSync(file, foreign)
  mergeKubeconfig(file, own)
  mergeKubeconfig(file, own)
  const merged = parse(readFileSync(file, 'utf8'))
  expect(merged.contexts.map((c: { name: string }) => c.name)).toEqual(['work', 'skiff'])
  expect(merged.contexts[0].context.namespace).toBe('team')
  expect(merged['current-context']).toBe('skiff')
})

it('takes its context out again and leaves the others', () => {
  mergeKubeconfig(file, own)
  writeFileSync(file, foreign)
  mergeKubeconfig(file, own)
  unmergeKubeconfig(file, 'skiff')
  expect(parse(readFileSync(file, 'utf8'))).toEqual({ ...parse(foreign), 'current-context': 'work' })
})

it('removes a file in which nothing else was', () => {
  mergeKubeconfig(file, own)
  unmergeKubeconfig(file, 'skiff')
  expect(existsSync(file)).toBe(false)
})

it('leaves a file alone that it cannot read', () => {
  mergeKubeconfig(file, own)
  writeFileSync(file, 'clusters: [')
  expect(() => mergeKubeconfig(file, own)).toThrow(/is not valid YAML, so it was left alone/)
  expect(readFileSync(file, 'utf8')).toBe('clusters: [')
})
