import { expect, it } from 'vitest'
import { returnedHeaders } from './headers.ts'

it('an answer from elsewhere says neither who may read it here, nor what the request is called here, nor anything of its connection', () => {
  const answer = { 'content-type': 'text/plain', 'audit-id': 'made up', 'access-control-allow-origin': '*', connection: 'keep-alive', 'transfer-encoding': 'chunked', 'x-own': '1' }
  expect(returnedHeaders(answer)).toEqual({ 'content-type': 'text/plain', 'x-own': '1' })
})
