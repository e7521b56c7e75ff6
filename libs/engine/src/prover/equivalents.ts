/** Generated mutants that behave as the program itself, each with why. One without a proof here counts against the score. */
export const EQUIVALENTS: Readonly<Record<string, string>> = {
  'state.acquire duplicate':
    'An epoch is raised for nothing; the second answer holds the latest one, and nothing was done under the first (C10c).',
  'state.acquire swap':
    'A turn knows nothing before the answer of its acquire, so there is no call that could come before it.',
  'state.append duplicate':
    'The second one has the same append id, so it is answered as the first was and writes nothing (I3).',
  'state.turnFailed swap': 'It is the last call of a turn that threw: none follows that it could change places with.',
  'state.turnFailed ignore': 'Its answer says nothing.',
  'agents.instances duplicate': 'It reads a snapshot and changes nothing.',
  'agents.instances swap': 'It reads a snapshot at once: no call is under way that it could change places with.',
  'agents.execute duplicate': 'The second request has the same key, so the agent joins the one execution (I5).',
  'agents.execute swap':
    'Dispatches of one turn are sent together, and the network may bring them in any order: it is one of those that are explored.',
  'agents.cancel duplicate': 'A tombstone that is there is left again; the answer is the same.',
  'agents.cancel swap':
    'Cancels and dispatches of one turn are sent together, and the network may bring them in any order: it is one of those that are explored.',
  'graphs.graph duplicate': 'It reads what a digest names, which never changes.',
  'graphs.graph swap': 'A turn waits for its graph before it calls anything else.',
  'clock.now duplicate': 'It reads the clock and changes nothing.',
  'clock.now swap': 'It reads the clock at once: no call is under way that it could change places with.',
  'ids.uuid duplicate': 'An id that nobody uses is lost; the next one is as unique.',
  'ids.uuid swap': 'It is made at once: no call is under way that it could change places with.',
  'RunCreated drop': 'It comes with the create and is never decided in a turn.',
  'RunCreated duplicate': 'It comes with the create and is never decided in a turn.',
  'RunCreated swap': 'It comes with the create and is never decided in a turn.',
  'RunCreated ignore': 'It comes with the create and is never decided in a turn.',
  'StepsInherited drop': 'It comes with the create and is never decided in a turn.',
  'StepsInherited duplicate': 'It comes with the create and is never decided in a turn.',
  'StepsInherited swap': 'It comes with the create and is never decided in a turn.',
  'StepsInherited ignore': 'It comes with the create and is never decided in a turn.',
  'StepScheduled swap':
    'Nothing that the same decision makes follows from a step that runs: the event behind it is about another step, and both orders fold to one state.',
  'StepReassigned swap':
    'The event behind it is about another step, or the outcome of the same one, which any instance on record may give: both orders fold to one state.',
  'StepReassigned ignore':
    'The turn has asked the instance before and asks it no second time; it parks, and the next turn folds the event and asks the one on record.',
  'RetryScheduled swap': 'The event behind it is about another step: both orders fold to one state.',
  'RunEnded swap': 'It is the last event of its decision: none follows that it could change places with.',
};
