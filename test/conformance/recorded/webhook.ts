/** A conversion webhook that does as its path says: it converts, or it answers something wrong. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { selfSigned } from '../../support/conversion-webhook.ts'

interface Custom { readonly apiVersion: string; readonly kind: string; readonly metadata: Readonly<Record<string, unknown>>; readonly spec?: Readonly<Record<string, unknown>> }
interface Request { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: readonly Custom[] }
type Mode = (request: Request) => unknown

const group = (apiVersion: string): string => apiVersion.split('/')[0] ?? ''
/** v1 says `a-b` in one field, v2 in two. */
function converted({ spec, ...object }: Custom, apiVersion: string): Custom {
  const text = String(spec?.['text'] ?? `${spec?.['left'] as string}-${spec?.['right'] as string}`)
  const [left = '', right = ''] = text.split('-')
  return { ...object, apiVersion, spec: apiVersion.endsWith('v1') ? { text } : { left, right } }
}
const good = ({ uid, desiredAPIVersion, objects }: Request) => ({ uid, convertedObjects: objects.map((object) => converted(object, desiredAPIVersion)), result: { status: 'Success' } })
const each = (change: (object: Custom) => unknown): Mode => (request) => ({ ...good(request), convertedObjects: good(request).convertedObjects.map(change) })
const named = ({ metadata }: Custom, end: string): boolean => String(metadata['name']).endsWith(end)

const modes: Readonly<Record<string, Mode>> = {
  good,
  'other-uid': (request) => ({ ...good(request), uid: 'other' }),
  'no-uid': (request) => ({ ...good(request), uid: undefined }),
  fewer: (request) => ({ ...good(request), convertedObjects: good(request).convertedObjects.slice(1) }),
  more: (request) => ({ ...good(request), convertedObjects: [...good(request).convertedObjects, ...good(request).convertedObjects] }),
  none: (request) => ({ ...good(request), convertedObjects: undefined }),
  'other-version': (request) => ({ ...good(request), convertedObjects: request.objects }),
  'other-group': each((object) => ({ ...object, apiVersion: 'x/v1' })),
  'no-version': each(({ apiVersion: _version, ...object }) => object),
  'other-kind': each((object) => ({ ...object, kind: 'Other' })),
  'other-name': each((object) => ({ ...object, metadata: { ...object.metadata, name: 'other' } })),
  'other-namespace': each((object) => ({ ...object, metadata: { ...object.metadata, namespace: 'other' } })),
  'other-metadata-uid': each((object) => ({ ...object, metadata: { ...object.metadata, uid: 'other' } })),
  'no-metadata': each(({ metadata: _metadata, ...object }) => object),
  'metadata-text': each((object) => ({ ...object, metadata: 'text' })),
  labels: each((object) => ({ ...object, metadata: { ...object.metadata, labels: { added: 'yes' }, annotations: { note: 'x' } } })),
  'bad-labels': each((object) => ({ ...object, metadata: { ...object.metadata, labels: { 'a b': 'c d' } } })),
  'labels-number': each((object) => ({ ...object, metadata: { ...object.metadata, labels: { a: 1 } } })),
  finalizers: each((object) => ({ ...object, metadata: { ...object.metadata, finalizers: ['x.y/z'], generation: 99, resourceVersion: '7', creationTimestamp: null } })),
  unknown: each((object) => ({ ...object, spec: { ...object.spec, zzz: 1 }, more: 1 })),
  wrong: each((object) => ({ ...object, spec: { left: 5, right: [], text: 5 } })),
  failed: ({ uid }) => ({ uid, result: { status: 'Failed', message: 'it cannot be done' } }),
  'failed-partly': (request) => (request.objects.some((object) => named(object, 'bad')) ? { uid: request.uid, result: { status: 'Failure', message: 'one of them is bad', reason: 'Bad', code: 499 } } : good(request)),
  'failed-silently': ({ uid }) => ({ uid, result: {} }),
  'failed-with-objects': (request) => ({ ...good(request), result: { status: 'Failed' } }),
  'no-result': (request) => ({ ...good(request), result: undefined }),
  null: each(() => null),
  text: each(() => 'text'),
  empty: each(() => ({})),
}

export interface Webhook {
  readonly caBundle: string
  url(mode: string): string
  stop(): void
}

/** Starts it on a port of its own. Beside the modes there are answers that are no reviews: `http-500`, `http-201`, `garbage`, `redirect`, `beta`, `no-response`. */
export async function startWebhook(): Promise<Webhook> {
  const { key, cert } = await selfSigned()
  const server = createServer({ key, cert }, async (incoming, response) => {
    const mode = (incoming.url ?? '').replace(/^\/|\?.*$/g, '')
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    // What follows a redirection comes without a body.
    if (chunks.length === 0) return void response.writeHead(400).end('no review')
    const { request } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly request: Request }
    const review = (part: unknown, apiVersion = 'apiextensions.k8s.io/v1', kind = 'ConversionReview'): string => JSON.stringify({ apiVersion, kind, response: part })
    if (mode.startsWith('http-')) response.writeHead(Number(mode.slice(5))).end(mode === 'http-201' ? review(good(request)) : 'something went wrong')
    else if (mode === 'garbage') response.end('not json')
    else if (mode === 'redirect') response.writeHead(302, { location: '/good' }).end()
    else if (mode === 'beta') response.end(review(good(request), 'apiextensions.k8s.io/v1beta1'))
    else if (mode === 'other-review') response.end(review(good(request), 'x/v1', 'Other'))
    else if (mode === 'no-response') response.end(JSON.stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview' }))
    else if (mode === 'typeless') response.end(JSON.stringify({ response: good(request) }))
    else response.end(review(modes[mode]?.(request) ?? { uid: request.uid, result: { status: 'Failed', message: `no such mode: ${mode} for ${group(request.desiredAPIVersion)}` } }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    caBundle: Buffer.from(cert).toString('base64'),
    url: (mode) => `https://127.0.0.1:${(server.address() as AddressInfo).port}/${mode}`,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
