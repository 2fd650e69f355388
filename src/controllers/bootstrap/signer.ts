/**
 * Signs the ConfigMap `kube-public/cluster-info`, where there is one, with every bootstrap token that is for signing: whoever has a token, and
 * nothing else of the cluster, can tell its kubeconfig from a forged one (`kubeadm join --discovery-token`).
 */
import { createHmac } from 'node:crypto'
import { core } from '../../api/index.ts'
import { runController, watch, type Client, type Controller, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { deepEqual } from '../../machinery/meta.ts'
import type { ControllerContext } from '../shared/context.ts'
import { isToken, textOf, timeLeft, tokensOnly } from './token.ts'

const name = 'bootstrap-signer'
const key = 'kube-public/cluster-info'
const prefix = 'jws-kubeconfig-'

const encoded = (text: string): string => Buffer.from(text).toString('base64url')

/** A JSON Web Signature of the text, without the text (RFC 7515, appendix F). */
function signatureOf(text: string, id: string, secret: string): string {
  const head = encoded(JSON.stringify({ alg: 'HS256', kid: id }))
  return `${head}..${createHmac('sha256', secret).update(`${head}.${encoded(text)}`).digest('base64url')}`
}

/** The token's id in the secret's name; undefined for a name that no token has. */
const idOf = (called = ''): string | undefined => /^bootstrap-token-([a-z0-9]{6})$/.exec(called)?.[1]

function signaturesOf(text: string, tokens: readonly core.Secret[], now: number): Readonly<Record<string, string>> {
  const good = tokens.filter((token) => isToken(token) && !token.metadata.deletionTimestamp && textOf(token, 'usage-bootstrap-signing') === 'true' && (timeLeft(token, now) ?? 1) > 0
    && idOf(token.metadata.name) === textOf(token, 'token-id') && textOf(token, 'token-secret') !== '')
  return Object.fromEntries(good.map((token) => {
    const id = textOf(token, 'token-id')
    return [`${prefix}${id}`, signatureOf(text, id, textOf(token, 'token-secret'))]
  }))
}

function signingReconciler(infos: Informer<core.ConfigMap>, tokens: Informer<core.Secret>, client: Client, clock: Clock): Reconciler {
  return {
    async reconcile() {
      const info = infos.get(key)
      const text = info?.data?.['kubeconfig']
      if (!info || text === undefined) return
      const now = clock.now()
      const others = Object.fromEntries(Object.entries(info.data ?? {}).filter(([entry]) => !entry.startsWith(prefix)))
      const data = { ...others, ...signaturesOf(text, tokens.list(), now) }
      if (!deepEqual(data, info.data)) await client.update(core.configmaps, { ...info, data })
      const ends = tokens.list().flatMap((token) => timeLeft(token, now) || [])
      return ends.length > 0 ? { requeueAfter: Math.min(...ends) } : undefined
    },
  }
}

export function startBootstrapSigner(context: ControllerContext): Controller {
  const { clock, log, signal } = context
  const infos = context.informers.for(core.configmaps, { fieldSelector: 'metadata.namespace=kube-public,metadata.name=cluster-info' })
  const tokens = context.informers.for(core.secrets, tokensOnly)
  return runController({
    name,
    reconciler: signingReconciler(infos, tokens, context.client(name), clock),
    watches: [watch(infos, () => [key]), watch(tokens, () => [key])],
    clock, log, signal,
  })
}
