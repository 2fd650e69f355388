/** What a suite of recorded cases is, and how it is run against one server. */
import { setTimeout as delay } from 'node:timers/promises'
import { send, type Answer, type Kept, type Step } from './exchange.ts'
import type { Target } from './target.ts'
import type { Webhook } from './webhook.ts'

export interface Suite {
  /** Of objects only the spec is recorded. */
  readonly brief?: boolean
  /** Definitions of the kinds that the cases use. */
  readonly definitions?: readonly Definition[]
  /** The cases speak of a conversion webhook: `<webhook.url>` and `<webhook.caBundle>`. */
  readonly webhook?: boolean
  /** Each case is a few requests in turn. */
  readonly cases: Readonly<Record<string, readonly Step[]>>
}

/** As much of a CustomResourceDefinition as running a suite has to know. */
export interface Definition {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly group: string; readonly scope: string; readonly names: { readonly plural: string }; readonly versions: readonly { readonly name: string; readonly served: boolean }[] }
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`${what}: not within half a minute`)
    await delay(50)
  }
}

/** Defines the kinds and waits until each of their versions answers. */
export async function install(server: Target, list: readonly Definition[]): Promise<void> {
  await Promise.all(list.map(async (definition) => {
    const made = await send(server, ['POST', definitions, definition])
    if (made.code !== 201) throw new Error(`${definition.metadata.name}: ${JSON.stringify(made.body)}`)
    for (const version of definition.spec.versions) {
      if (!version.served) continue
      const path = `/apis/${definition.spec.group}/${version.name}/${definition.spec.names.plural}`
      await until(path, async () => (await send(server, ['GET', path])).code === 200)
    }
  }))
}

/** Withdraws the kinds again, with all objects. */
export async function uninstall(server: Target, list: readonly Definition[]): Promise<void> {
  await Promise.all(list.map(async ({ metadata }) => {
    await send(server, ['DELETE', `${definitions}/${metadata.name}`])
    await until(metadata.name, async () => (await send(server, ['GET', `${definitions}/${metadata.name}`])).code === 404)
  }))
}

/** An answer as it is recorded: of a refusal what it says, of an object all of it, or its spec. */
export type Recorded = Pick<Answer, 'code' | 'warnings' | 'type'> & { readonly says?: readonly string[]; readonly reason?: string; readonly about?: unknown; readonly spec?: unknown; readonly body?: unknown }

interface StatusBody { readonly kind: 'Status'; readonly message?: string; readonly reason?: string; readonly details?: { readonly causes?: readonly { readonly field?: string; readonly message?: string }[] } & Readonly<Record<string, unknown>> }

/** What of an answer is recorded. */
export function recorded({ code, warnings, type, body }: Answer, { brief = false }: Suite): Recorded {
  const shown = { code, ...(warnings ? { warnings } : {}), ...(type ? { type } : {}) }
  const status = body as StatusBody | null
  if (code >= 400 && status?.kind === 'Status') {
    const { causes = [], ...about } = status.details ?? {}
    return { ...shown, reason: status.reason ?? '', ...(brief ? {} : { about }), says: causes.length > 0 ? causes.map(({ field, message }) => `${field ?? ''}: ${message ?? ''}`) : [status.message ?? ''] }
  }
  return brief ? { ...shown, spec: (body as { spec?: unknown } | null)?.spec } : { ...shown, body }
}

/** The answers to a case, in order. */
export async function answers(server: Target, steps: readonly Step[], webhook?: Webhook): Promise<Answer[]> {
  const got: Answer[] = []
  const kept: Kept = new Map(webhook ? [['webhook.url', webhook.url('')], ['webhook.caBundle', webhook.caBundle]] : [])
  for (const step of steps) got.push(await send(server, step, kept))
  return got
}
