/** The choices that make one template differ from another; what else differs from account to account is a parameter. */
export interface Settings {
  /** `fargate`: tasks that poll and scale by the backlog of each; `lambda`: a function that SQS calls. */
  readonly worker: 'fargate' | 'lambda';
  /** `aurora`: a cluster of its own; `given`: any PostgreSQL 15 or newer that the VPC reaches, by its secret. */
  readonly database: 'aurora' | 'given';
}

/** The templates that are kept in the repository, by their names. */
export const TEMPLATES: Readonly<Record<string, Settings>> = {
  'fargate-aurora': { worker: 'fargate', database: 'aurora' },
  'lambda-aurora': { worker: 'lambda', database: 'aurora' },
  'fargate-given': { worker: 'fargate', database: 'given' },
};
