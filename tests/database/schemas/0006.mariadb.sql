CREATE TABLE llm_chats (
    user_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    id UUID NOT NULL,
    model LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    provider LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    agent LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    instructions LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    title LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    metadata LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    next_seq INTEGER NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    forked_from UUID,
    forked_at UUID,
    restored LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    deleted_at DATETIME(6),
    parent_run_id UUID,
    PRIMARY KEY (id)
);

CREATE INDEX ix_llm_chats_updated_at_id ON llm_chats (updated_at, id);

CREATE INDEX ix_llm_chats_user_id_updated_at_id ON llm_chats (user_id, updated_at, id);

CREATE TABLE llm_chunks (
    message_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    payload LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    PRIMARY KEY (message_id, seq)
);

CREATE TABLE llm_event_readers (
    name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    `position` BIGINT NOT NULL,
    waiting LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    owner VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    lease_until DATETIME(6),
    PRIMARY KEY (name)
);

CREATE TABLE llm_events (
    id UUID NOT NULL,
    `position` BIGINT,
    chat_order BIGINT NOT NULL,
    type VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    chat_id UUID,
    run_id UUID,
    created_at DATETIME(6) NOT NULL,
    data LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    PRIMARY KEY (id)
);

CREATE INDEX ix_llm_events_chat_id ON llm_events (chat_id);

CREATE UNIQUE INDEX ix_llm_events_position ON llm_events (`position`);

CREATE TABLE llm_usage_days (
    day DATE NOT NULL,
    place INTEGER NOT NULL,
    counted_at DATETIME(6),
    provider LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    model LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    agent LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    status VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    requests INTEGER NOT NULL,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_write_tokens BIGINT,
    reasoning_tokens BIGINT,
    cost NUMERIC(20, 12),
    priced INTEGER NOT NULL,
    reported INTEGER NOT NULL,
    kind VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    PRIMARY KEY (day, place)
);

CREATE TABLE llm_attachments (
    id UUID NOT NULL,
    hash VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    media_type LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    name LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    size INTEGER NOT NULL,
    data LONGBLOB,
    stored_at DATETIME(6),
    chat_id UUID NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX ix_llm_attachments_chat_id_hash ON llm_attachments (chat_id, hash);

CREATE TABLE llm_feedback (
    id UUID NOT NULL,
    message_id UUID NOT NULL,
    run_id UUID,
    owner VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    value DOUBLE NOT NULL,
    comment LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
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
    role VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    status VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    text LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    reasoning LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    content LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    format VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    model LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    provider LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    finish_reason LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    reasoning_tokens INTEGER,
    created_at DATETIME(6) NOT NULL,
    finished_at DATETIME(6),
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
    provider LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    model LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    status VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    http_status INTEGER,
    error_type LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    error LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    provider_request_id LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    streamed BOOL NOT NULL,
    started_at DATETIME(6) NOT NULL,
    latency_ms DOUBLE,
    first_token_ms DOUBLE,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    reasoning_tokens INTEGER,
    cost NUMERIC(20, 12),
    price_source VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    list_cost NUMERIC(20, 12),
    kind VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    chat_id UUID,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE INDEX ix_llm_requests_chat_id_id ON llm_requests (chat_id, id);

CREATE INDEX ix_llm_requests_started_at ON llm_requests (started_at);

CREATE TABLE llm_runs (
    id UUID NOT NULL,
    active_chat_id UUID,
    status VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    owner VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    epoch INTEGER NOT NULL,
    lease_until DATETIME(6) NOT NULL,
    stop_requested BOOL NOT NULL,
    idempotency_key VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    instructions LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    settings LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    error LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    started_at DATETIME(6) NOT NULL,
    finished_at DATETIME(6),
    parent_run_id UUID,
    question LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
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
    call_id LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    name LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    arguments LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    status VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    result LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    error LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    started_at DATETIME(6),
    finished_at DATETIME(6),
    duration_ms DOUBLE,
    chat_id UUID NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(chat_id) REFERENCES llm_chats (id) ON DELETE CASCADE
);

CREATE INDEX ix_llm_tool_calls_chat_id_id ON llm_tool_calls (chat_id, id);

CREATE INDEX ix_llm_tool_calls_message_id ON llm_tool_calls (message_id);
