"""The table of chats."""

import chatrecord.django.constraints
import chatrecord.django.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Its first form."""

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Chat",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "model",
                    chatrecord.django.fields.LongTextField(blank=True, editable=False, null=True),
                ),
                (
                    "provider",
                    chatrecord.django.fields.LongTextField(blank=True, editable=False, null=True),
                ),
                (
                    "agent",
                    chatrecord.django.fields.LongTextField(blank=True, editable=False, null=True),
                ),
                (
                    "instructions",
                    chatrecord.django.fields.PrivateTextField(
                        blank=True, editable=False, null=True
                    ),
                ),
                (
                    "title",
                    chatrecord.django.fields.PrivateTextField(
                        blank=True, editable=False, null=True
                    ),
                ),
                ("metadata", chatrecord.django.fields.PrivateJsonField(editable=False)),
                ("next_seq", models.IntegerField(editable=False)),
                ("created_at", chatrecord.django.fields.MomentField(editable=False)),
                ("updated_at", chatrecord.django.fields.MomentField(editable=False)),
                ("forked_from", models.UUIDField(blank=True, editable=False, null=True)),
                ("forked_at", models.UUIDField(blank=True, editable=False, null=True)),
                (
                    "restored",
                    chatrecord.django.fields.PrivateJsonField(
                        blank=True, editable=False, null=True
                    ),
                ),
                (
                    "deleted_at",
                    chatrecord.django.fields.MomentField(blank=True, editable=False, null=True),
                ),
                ("parent_run_id", models.UUIDField(blank=True, editable=False, null=True)),
                ("department", models.CharField(blank=True, max_length=100, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [
                    chatrecord.django.constraints.LongNamedIndex(
                        fields=["updated_at", "id"], name="ix_chats_chat_updated_at_id"
                    ),
                    chatrecord.django.constraints.LongNamedIndex(
                        fields=["user", "updated_at", "id"], name="ix_chats_chat_user_updated_at_id"
                    ),
                ],
            },
        ),
    ]
