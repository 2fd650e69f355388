/**
 * What Kubernetes's own server of custom resources (k8s.io/apiextensions-apiserver v0.36.4) answered to the requests in `cases/`
 * stands in `answers/`; here it is asked again. `record.ts` writes it down; null are answers that differ, which are not compared.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../../src/cluster/testing.ts'
import { target } from './exchange.ts'
import { answers, install, recorded, type Recorded, type Suite } from './suite.ts'
import type { Target } from './target.ts'
import { startWebhook, type Webhook } from './webhook.ts'
import apply from './cases/apply.ts'
import conversion from './cases/conversion.ts'
import definitions from './cases/definitions.ts'
import discovery from './cases/discovery.ts'
import expressions from './cases/expressions.ts'
import integers from './cases/integers.ts'
import objects from './cases/objects.ts'
import openapi from './cases/openapi.ts'
import reading from './cases/reading.ts'
import rules from './cases/rules.ts'
import tables from './cases/tables.ts'
import writes from './cases/writes.ts'

const suites: Readonly<Record<string, Suite>> = { definitions, objects, writes, apply, discovery, openapi, reading, tables, rules, conversion, integers, expressions }
const answersOf = (name: string) => JSON.parse(readFileSync(new URL(`answers/${name}.json`, import.meta.url), 'utf8')) as Record<string, readonly (Recorded | null)[]>

let kit: TestServer
let server: Target
let webhook: Webhook
beforeAll(async () => {
  kit = await startTestServer()
  server = target(kit.kubeconfigFile)
  webhook = await startWebhook()
})
afterAll(async () => {
  webhook.stop()
  server.stop()
  await kit.stop()
})

describe.each(Object.entries(suites))('%s', (name, suite) => {
  beforeAll(() => install(server, suite.definitions ?? []))
  it.each(Object.entries(answersOf(name)))('%s', async (title, expected) => {
    const got = await answers(server, suite.cases[title] ?? [], webhook)
    expect(JSON.parse(JSON.stringify(got.map((answer, i) => (expected[i] === null ? null : recorded(answer, suite)))))).toEqual(expected)
  })
})
