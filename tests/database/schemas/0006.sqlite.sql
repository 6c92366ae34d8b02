CREATE TABLE llm_chats (
    user_id VARCHAR(255),
    id CHAR(32) NOT NULL,
    model TEXT,
    provider TEXT,
    agent TEXT,
    instructions TEXT,
    title TEXT,
    metadata TEXT NOT NULL,
    next_seq INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL,
    forked_from CHAR(32),
    forked_at CHAR(32),
    restored TEXT,
    deleted_at DATETIME,
    parent_run_id CHAR(32),
    PRIMARY KEY (id)
);

CREATE INDEX ix_llm_chats_updated_at_id ON llm_chats (updated_at, id);

CREATE INDEX ix_llm_chats_user_id_updated_at_id ON llm_chats (user_id, updated_at, id);

CREATE TABLE llm_chunks (
    message_id CHAR(32) NOT NULL,
    seq INTEGER NOT NULL,
    payload TEXT,
    PRIMARY KEY (message_id, seq)
);

CREATE TABLE llm_event_readers (
    name VARCHAR(255) NOT NULL,
    position BIGINT NOT NULL,
    waiting TEXT,
    owner VARCHAR(255),
    lease_until DATETIME,
    PRIMARY KEY (name)
);

CREATE TABLE llm_events (
    id CHAR(32) NOT NULL,
    position BIGINT,
    chat_order BIGINT NOT NULL,
    type VARCHAR(255) NOT NULL,
    chat_id CHAR(32),
    run_id CHAR(32),
    created_at DATETIME NOT NULL,
    data TEXT,
    PRIMARY KEY (id)
);

CREATE INDEX ix_llm_events_chat_id ON llm_events (chat_id);

CREATE UNIQUE INDEX ix_llm_events_position ON llm_events (position);

CREATE TABLE llm_usage_days (
    day DATE NOT NULL,
    place INTEGER NOT NULL,
    counted_at DATETIME,
    provider TEXT,
    model TEXT,
    agent TEXT,
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
    id CHAR(32) NOT NULL,
    hash VARCHAR(255) NOT NULL,
    media_type TEXT NOT NULL,
    name TEXT,
    size INTEGER NOT NULL,
    data BLOB,
    stored_at DATETIME,
    chat_id CHAR(32) NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX ix_llm_attachments_chat_id_hash ON llm_attachments (chat_id, hash);

CREATE TABLE llm_feedback (
    id CHAR(32) NOT NULL,
    message_id CHAR(32) NOT NULL,
    run_id CHAR(32),
    owner VARCHAR(255) NOT NULL,
    value DOUBLE NOT NULL,
    comment TEXT,
    created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL,
    chat_id CHAR(32) NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE INDEX ix_llm_feedback_chat_id_run_id ON llm_feedback (chat_id, run_id);

CREATE INDEX ix_llm_feedback_created_at_id ON llm_feedback (created_at, id);

CREATE UNIQUE INDEX ix_llm_feedback_message_id_owner ON llm_feedback (message_id, owner);

CREATE TABLE llm_messages (
    id CHAR(32) NOT NULL,
    run_id CHAR(32),
    seq INTEGER NOT NULL,
    role VARCHAR(255) NOT NULL,
    status VARCHAR(255) NOT NULL,
    text TEXT NOT NULL,
    reasoning TEXT,
    content TEXT,
    format VARCHAR(255),
    model TEXT,
    provider TEXT,
    finish_reason TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    reasoning_tokens INTEGER,
    created_at DATETIME NOT NULL,
    finished_at DATETIME,
    chat_id CHAR(32) NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX ix_llm_messages_chat_id_seq ON llm_messages (chat_id, seq);

CREATE INDEX ix_llm_messages_run_id ON llm_messages (run_id);

CREATE TABLE llm_requests (
    id CHAR(32) NOT NULL,
    run_id CHAR(32),
    message_id CHAR(32),
    provider TEXT,
    model TEXT,
    status VARCHAR(255) NOT NULL,
    http_status INTEGER,
    error_type TEXT,
    error TEXT,
    provider_request_id TEXT,
    streamed BOOLEAN NOT NULL,
    started_at DATETIME NOT NULL,
    latency_ms DOUBLE,
    first_token_ms DOUBLE,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    reasoning_tokens INTEGER,
    cost NUMERIC(20, 12),
    price_source VARCHAR(255),
    list_cost NUMERIC(20, 12),
    kind VARCHAR(255),
    chat_id CHAR(32),
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE INDEX ix_llm_requests_chat_id_id ON llm_requests (chat_id, id);

CREATE INDEX ix_llm_requests_started_at ON llm_requests (started_at);

CREATE TABLE llm_runs (
    id CHAR(32) NOT NULL,
    active_chat_id CHAR(32),
    status VARCHAR(255) NOT NULL,
    owner VARCHAR(255) NOT NULL,
    epoch INTEGER NOT NULL,
    lease_until DATETIME NOT NULL,
    stop_requested BOOLEAN NOT NULL,
    idempotency_key VARCHAR(255),
    instructions TEXT,
    settings TEXT,
    error TEXT,
    started_at DATETIME NOT NULL,
    finished_at DATETIME,
    parent_run_id CHAR(32),
    question TEXT,
    chat_id CHAR(32) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (active_chat_id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX ix_llm_runs_chat_id_idempotency_key ON llm_runs (chat_id, idempotency_key);

CREATE INDEX ix_llm_runs_status_chat_id ON llm_runs (status, chat_id);

CREATE TABLE llm_tool_calls (
    id CHAR(32) NOT NULL,
    run_id CHAR(32),
    message_id CHAR(32) NOT NULL,
    call_id TEXT NOT NULL,
    name TEXT NOT NULL,
    arguments TEXT,
    status VARCHAR(255) NOT NULL,
    result TEXT,
    error TEXT,
    started_at DATETIME,
    finished_at DATETIME,
    duration_ms DOUBLE,
    chat_id CHAR(32) NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE INDEX ix_llm_tool_calls_chat_id_id ON llm_tool_calls (chat_id, id);

CREATE INDEX ix_llm_tool_calls_message_id ON llm_tool_calls (message_id);
