import {
  addEndpoint,
  endEndpoint,
  listEndpoints,
  removeEndpoint,
  replayEvents,
  testEndpoint,
} from '../../webhooks/manage-endpoints.ts';
import {
  addEndpointRequest,
  addedEndpointAnswer,
  endedEndpointAnswer,
  endpointRequest,
  endpointsAnswer,
  removedEndpointAnswer,
  replayEventsRequest,
  replayedEventsAnswer,
  testedEndpointAnswer,
} from '../../webhooks/webhook-answer.ts';
import { listRoute, NOTHING_ASKED, type Route, route } from '../route.ts';

const ADMIN = ['admin'] as const;

/** Who is told of what happens, by requests of ours. */
export const WEBHOOKS: readonly Route[] = [
  listRoute('GET /v1/webhooks', {
    about: 'webhooks',
    roles: ADMIN,
    summary: 'all receivers, and what they were told',
    request: NOTHING_ASKED,
    answer: endpointsAnswer,
    rows: 'webhooks',
    idOf: ({ endpoint_id }) => endpoint_id,
    use: listEndpoints,
  }),
  route('POST /v1/webhooks', {
    about: 'webhooks',
    act: 'webhook add',
    roles: ADMIN,
    summary: 'add a receiver; its secret is shown once',
    request: addEndpointRequest,
    answer: addedEndpointAnswer,
    isShownOnce: true,
    use: addEndpoint,
  }),
  route('POST /v1/webhooks/{endpoint}/test', {
    about: 'webhooks',
    act: 'webhook test',
    roles: ADMIN,
    summary: 'send a receiver an event that says nothing, now',
    request: endpointRequest,
    answer: testedEndpointAnswer,
    use: testEndpoint,
  }),
  route('POST /v1/webhooks/{endpoint}/disable', {
    about: 'webhooks',
    act: 'webhook disable',
    roles: ADMIN,
    summary: 'tell a receiver nothing any more, and keep what it was told',
    request: endpointRequest,
    answer: endedEndpointAnswer,
    use: endEndpoint,
  }),
  route('DELETE /v1/webhooks/{endpoint}', {
    about: 'webhooks',
    act: 'webhook remove',
    roles: ADMIN,
    summary: 'take a receiver away, with what it was told',
    request: endpointRequest,
    answer: removedEndpointAnswer,
    use: removeEndpoint,
  }),
  route('POST /v1/webhooks/replay', {
    about: 'webhooks',
    act: 'webhook replay',
    roles: ADMIN,
    summary: 'deliver one event once more, or all since an instant',
    request: replayEventsRequest,
    answer: replayedEventsAnswer,
    use: replayEvents,
  }),
];
