CREATE TABLE llm_chats (
    user_id VARCHAR(255),
    id UUID NOT NULL,
    model VARCHAR,
    provider VARCHAR,
    agent VARCHAR,
    instructions VARCHAR,
    title VARCHAR,
    metadata JSONB NOT NULL,
    next_seq INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    forked_from UUID,
    forked_at UUID,
    restored JSONB,
    deleted_at TIMESTAMP WITH TIME ZONE,
    parent_run_id UUID,
    PRIMARY KEY (id)
);

CREATE INDEX ix_llm_chats_updated_at_id ON llm_chats (updated_at, id);

CREATE INDEX ix_llm_chats_user_id_updated_at_id ON llm_chats (user_id, updated_at, id);

CREATE TABLE llm_chunks (
    message_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    payload JSONB,
    PRIMARY KEY (message_id, seq)
);

CREATE TABLE llm_event_readers (
    name VARCHAR(255) NOT NULL,
    position BIGINT NOT NULL,
    waiting JSONB,
    owner VARCHAR(255),
    lease_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (name)
);

CREATE TABLE llm_events (
    id UUID NOT NULL,
    position BIGINT,
    chat_order BIGINT NOT NULL,
    type VARCHAR(255) NOT NULL,
    chat_id UUID,
    run_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    data JSONB,
    PRIMARY KEY (id)
);

CREATE INDEX ix_llm_events_chat_id ON llm_events (chat_id);

CREATE UNIQUE INDEX ix_llm_events_position ON llm_events (position);

CREATE TABLE llm_usage_days (
    day DATE NOT NULL,
    place INTEGER NOT NULL,
    counted_at TIMESTAMP WITH TIME ZONE,
    provider VARCHAR,
    model VARCHAR,
    agent VARCHAR,
    status VARCHAR(255),
    requests INTEGER NOT NULL,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_write_tokens BIGINT,
    reasoning_tokens BIGINT,
    cost NUMERIC(20, 12),
    priced INTEGER NOT NULL,
    reported INTEGER NOT NULL,
    kind VARCHAR(255),
    PRIMARY KEY (day, place)
);

CREATE TABLE llm_attachments (
    id UUID NOT NULL,
    hash VARCHAR(255) NOT NULL,
    media_type VARCHAR NOT NULL,
    name VARCHAR,
    size INTEGER NOT NULL,
    data BYTEA,
    stored_at TIMESTAMP WITH TIME ZONE,
    chat_id UUID NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX ix_llm_attachments_chat_id_hash ON llm_attachments (chat_id, hash);

CREATE TABLE llm_feedback (
    id UUID NOT NULL,
    message_id UUID NOT NULL,
    run_id UUID,
    owner VARCHAR(255) NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    comment VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    chat_id UUID NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE INDEX ix_llm_feedback_chat_id_run_id ON llm_feedback (chat_id, run_id);

CREATE INDEX ix_llm_feedback_created_at_id ON llm_feedback (created_at, id);

CREATE UNIQUE INDEX ix_llm_feedback_message_id_owner ON llm_feedback (message_id, owner);

CREATE TABLE llm_messages (
    id UUID NOT NULL,
    run_id UUID,
    seq INTEGER NOT NULL,
    role VARCHAR(255) NOT NULL,
    status VARCHAR(255) NOT NULL,
    text VARCHAR NOT NULL,
    reasoning VARCHAR,
    content JSON,
    format VARCHAR(255),
    model VARCHAR,
    provider VARCHAR,
    finish_reason VARCHAR,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    reasoning_tokens INTEGER,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    chat_id UUID NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX ix_llm_messages_chat_id_seq ON llm_messages (chat_id, seq);

CREATE INDEX ix_llm_messages_run_id ON llm_messages (run_id);

CREATE TABLE llm_requests (
    id UUID NOT NULL,
    run_id UUID,
    message_id UUID,
    provider VARCHAR,
    model VARCHAR,
    status VARCHAR(255) NOT NULL,
    http_status INTEGER,
    error_type VARCHAR,
    error VARCHAR,
    provider_request_id VARCHAR,
    streamed BOOLEAN NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    latency_ms DOUBLE PRECISION,
    first_token_ms DOUBLE PRECISION,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    reasoning_tokens INTEGER,
    cost NUMERIC(20, 12),
    price_source VARCHAR(255),
    list_cost NUMERIC(20, 12),
    kind VARCHAR(255),
    chat_id UUID,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE INDEX ix_llm_requests_chat_id_id ON llm_requests (chat_id, id);

CREATE INDEX ix_llm_requests_started_at ON llm_requests (started_at);

CREATE TABLE llm_runs (
    id UUID NOT NULL,
    active_chat_id UUID,
    status VARCHAR(255) NOT NULL,
    owner VARCHAR(255) NOT NULL,
    epoch INTEGER NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE NOT NULL,
    stop_requested BOOLEAN NOT NULL,
    idempotency_key VARCHAR(255),
    instructions VARCHAR,
    settings JSONB,
    error VARCHAR,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    parent_run_id UUID,
    question JSON,
    chat_id UUID NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (active_chat_id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX ix_llm_runs_chat_id_idempotency_key ON llm_runs (chat_id, idempotency_key);

CREATE INDEX ix_llm_runs_status_chat_id ON llm_runs (status, chat_id);

CREATE TABLE llm_tool_calls (
    id UUID NOT NULL,
    run_id UUID,
    message_id UUID NOT NULL,
    call_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    arguments JSON,
    status VARCHAR(255) NOT NULL,
    result JSON,
    error VARCHAR,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    duration_ms DOUBLE PRECISION,
    chat_id UUID NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE INDEX ix_llm_tool_calls_chat_id_id ON llm_tool_calls (chat_id, id);

CREATE INDEX ix_llm_tool_calls_message_id ON llm_tool_calls (message_id);
